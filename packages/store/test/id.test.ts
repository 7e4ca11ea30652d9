import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createId } from '../src/index.js';

it('an id names its kind and is made of lower-case base 32', () => {
	expect(createId('ds')).toMatch(/^ds_[0-9a-hjkmnp-tv-z]{26}$/);
	expect(createId('job')).toMatch(/^job_/);
	expect(createId('mdl')).toMatch(/^mdl_/);
});

it('no two ids are equal, made in one millisecond though', () => {
	expect(new Set(Array.from({ length: 10_000 }, () => createId('job'))).size).toBe(10_000);
});

it('a later id sorts after an earlier one', async () => {
	const before = createId('job');
	const then = Date.now();
	while (Date.now() === then) await delay(1);
	expect(createId('job') > before).toBe(true);
});
