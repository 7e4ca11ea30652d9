import { describe, expect, it } from 'vitest';
import { objectionTo, optionsOf } from '../src/given-redis.js';

describe('what is asked of a given Redis', () => {
	it.each([
		['6.0.16', 'noeviction', /6\.2 or later/],
		['5.0.0', null, /6\.2 or later/],
		['6.2.0', 'volatile-lru', /volatile-lru/],
	])('version %s with policy %s is refused', (version, evictionPolicy, reason) => {
		expect(objectionTo({ version, evictionPolicy, inJavaScript: false })).toMatch(reason);
	});

	it.each([
		['6.2.0', 'noeviction'],
		['7.0.15', null],
		['10.0.0', 'noeviction'],
		[null, null],
	])('version %s with policy %s will do', (version, evictionPolicy) => {
		expect(objectionTo({ version, evictionPolicy, inJavaScript: false })).toBeNull();
	});
});

describe('a Redis URL', () => {
	it.each([
		['redis://h', { host: 'h', port: 6379, db: 0 }],
		['redis://u:p%40ss@h:1/2', { host: 'h', port: 1, username: 'u', password: 'p@ss', db: 2 }],
		['redis://[::1]:1', { host: '::1', port: 1, db: 0 }],
		['rediss://h', { host: 'h', port: 6379, db: 0, tls: {} }],
		['unix:/run/redis.sock?db=4', { path: '/run/redis.sock', db: 4 }],
	])('%s becomes the options of a connection', (url, options) => {
		expect(optionsOf(url)).toEqual(options);
	});
});
