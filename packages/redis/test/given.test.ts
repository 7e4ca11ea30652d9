import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { factsOf } from '../src/facts.js';
import { noteOn, objectionTo } from '../src/given.js';

describe('what is asked of a given Redis', () => {
	it.each([
		['6.0.16', 'noeviction', /6\.2 or later/],
		['5.0.0', null, /6\.2 or later/],
		['6.2.0', 'volatile-lru', /volatile-lru/],
	])('version %s with policy %s is refused', (version, evictionPolicy, reason) => {
		expect(objectionTo({ version, evictionPolicy })).toMatch(reason);
	});

	it.each([
		['6.2.0', 'noeviction'],
		['7.0.15', null],
		['10.0.0', 'noeviction'],
		[null, null],
	])('version %s with policy %s will do', (version, evictionPolicy) => {
		expect(objectionTo({ version, evictionPolicy })).toBeNull();
	});
});

describe('the eviction policy', () => {
	const hosted = (config: () => Promise<unknown>) =>
		({
			info: async (section: string) => (section === 'server' ? 'redis_version:7.2.4\r\nos:Linux' : 'used_memory:1'),
			config,
		}) as unknown as Redis;

	it('is unknown, and not an objection, where CONFIG is denied', async () => {
		const facts = await factsOf(
			hosted(() => Promise.reject(new Error("NOPERM this user has no permissions to run the 'config|get' command"))),
		);
		expect(facts).toEqual({ version: '7.2.4', evictionPolicy: null, inJavaScript: false, inCluster: false });
		expect(objectionTo(facts)).toBeNull();
		expect(noteOn(facts, 'h:1')).toMatch(/h:1 is not known/);
	});

	it('is asked of CONFIG where INFO does not tell it', async () => {
		const facts = await factsOf(hosted(async () => ['maxmemory-policy', 'allkeys-lfu']));
		expect(facts.evictionPolicy).toBe('allkeys-lfu');
	});
});
