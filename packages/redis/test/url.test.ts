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
		['redis+sentinel://a/wards', { sentinels: [{ host: 'a', port: 26379 }], name: 'wards', db: 0 }],
		[
			'redis+sentinel://u:p%40ss@a:1,[::1]:2,b/wards%20x/4',
			{
				sentinels: [
					{ host: 'a', port: 1 },
					{ host: '::1', port: 2 },
					{ host: 'b', port: 26379 },
				],
				name: 'wards x',
				username: 'u',
				password: 'p@ss',
				db: 4,
			},
		],
		[
			'rediss+sentinel://a:1/wards',
			{ sentinels: [{ host: 'a', port: 1 }], name: 'wards', db: 0, tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true },
		],
	])('%s becomes the options of a connection', (url, options) => {
		expect(optionsOf(url)).toEqual(options);
	});

	it.each([
		['localhost:6379', /^begins with localhost:/],
		['http://me:hush@localhost', /^begins with http:, expected redis:, rediss:, unix:, redis\+sentinel: or rediss\+sentinel:$/],
		['redis://me:hush@localhost/first', /^names the database "first", expected a number$/],
		['unix:/run/redis.sock?db=first', /^names the database "first"/],
		[':::hush', /^is not a URL/],
		['redis+sentinel://me:hush@/wards', /^names no sentinel: expected redis:/],
		['redis+sentinel://me:hush@a:1', /^does not name the master that the sentinels watch: expected redis\+sentinel:/],
		['redis+sentinel://me:hush@a:x/wards', /^is not a URL/],
		['redis+sentinel://me:hush@a/wards/first', /^names the database "first"/],
		['redis://me:hush%@a', /^has a percent sign that begins no encoded character/],
	])('%s is refused with what is wrong in it, and its password is not shown', (url, message) => {
		expect(() => optionsOf(url)).toThrow(RedisUrlError);
		expect(() => optionsOf(url)).toThrow(message);
		expect(() => optionsOf(url)).not.toThrow(/hush/);
	});

	it('has the authorities that are given beside it where it speaks TLS, and the login of sentinels', () => {
		expect(optionsOf('rediss://h', { ca: 'PEM' })).toMatchObject({ tls: { ca: 'PEM' } });
		expect(optionsOf('redis://h', { ca: 'PEM', sentinelPassword: 'hush' })).toEqual({ host: 'h', port: 6379, db: 0 });
		expect(optionsOf('rediss+sentinel://h/m', { ca: 'PEM', sentinelUsername: 'ann', sentinelPassword: 'hush' })).toMatchObject({
			...{ tls: { ca: 'PEM' }, sentinelTLS: { ca: 'PEM' } },
			...{ sentinelUsername: 'ann', sentinelPassword: 'hush' },
		});
	});

	it('is shown to people as where it leads, without user and password', () => {
		expect(addressOf(optionsOf('redis://ann:hush@r:1/2'))).toBe('r:1');
		expect(addressOf(optionsOf('unix:/run/redis.sock'))).toBe('/run/redis.sock');
		expect(addressOf(optionsOf('redis+sentinel://ann:hush@a,b:1/wards'))).toBe('the master "wards" of a:26379, b:1');
	});
});
