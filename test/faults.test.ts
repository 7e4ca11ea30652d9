import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Prepared, prepare, runSchedule } from './faults/faults.js';
import { FAULTS, scheduleOf } from './faults/schedule.js';

/** Seeds whose schedules are short and have many kinds of faults; `npm run test:faults` plays more. */
const SEEDS = [2];

describe('a schedule of faults', () => {
	it('is a function of its seed', () => {
		expect(scheduleOf(5, 3)).toEqual(scheduleOf(5, 3));
		expect(scheduleOf(5, 3)).not.toEqual(scheduleOf(6, 3));
	});

	it('has every fault in some seed, and posts three jobs', () => {
		const schedules = Array.from({ length: 100 }, (_, seed) => scheduleOf(seed, 3));
		const faults = schedules.map(({ steps }) => steps.map(({ fault }) => fault));
		expect(new Set(faults.flat())).toEqual(new Set(['post', ...Object.keys(FAULTS)]));
		for (const names of faults) expect(names.filter((name) => name === 'post' || name === 'post twice')).toHaveLength(3);
	});
});

// Processes are found by what /proc says of them.
describe.skipIf(!existsSync('/proc/self/environ'))('a service that meets faults', () => {
	let prepared: Prepared | undefined;
	beforeAll(async () => {
		prepared = await prepare();
	}, 300_000);
	afterAll(() => prepared?.close());

	it.each(SEEDS)('loses no job, makes none twice and leaves nothing over, with seed %i', async (seed) => {
		const { records, wrong } = await runSchedule(seed, prepared as Prepared);
		expect(wrong).toEqual([]);
		expect(records).toHaveLength(3);
	});
});
