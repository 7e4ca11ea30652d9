import { describe, expect, it } from 'vitest';
import { addressOf, optionsOf, RedisUrlError } from '../src/index.js';

describe('a Redis URL', () => {
	it.each([
		['redis://h', { host: 'h', port: 6379, db: 0 }],
		['redis://u:p%40ss@h:1/2', { host: 'h', port: 1, username: 'u', password: 'p@ss', db: 2 }],
		['redis://[::1]:1', { host: '::1', port: 1, db: 0 }],
		['rediss://h', { host: 'h', port: 6379, db: 0, tls: {} }],
		['unix:/run/redis.sock?db=4', { path: '/run/redis.sock', db: 4 }],
		['unix:///run/redis.sock', { path: '/run/redis.sock', db: 0 }],
	])('%s becomes the options of a connection', (url, options) => {
		expect(optionsOf(url)).toEqual(options);
	});

	it.each([
		['localhost:6379', /^begins with localhost:/],
		['http://me:hush@localhost', /^begins with http:, expected redis:, rediss: or unix:$/],
		['redis://me:hush@localhost/first', /^names the database "first", expected a number$/],
		['unix:/run/redis.sock?db=first', /^names the database "first"/],
		[':::hush', /^is not a URL/],
	])('%s is refused with what is wrong in it, and its password is not shown', (url, message) => {
		expect(() => optionsOf(url)).toThrow(RedisUrlError);
		expect(() => optionsOf(url)).toThrow(message);
		expect(() => optionsOf(url)).not.toThrow(/hush/);
	});

	it('is shown to people as where it leads, without user and password', () => {
		expect(addressOf(optionsOf('redis://ann:hush@r:1/2'))).toBe('r:1');
		expect(addressOf(optionsOf('unix:/run/redis.sock'))).toBe('/run/redis.sock');
	});
});
