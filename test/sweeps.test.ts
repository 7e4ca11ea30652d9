import { existsSync } from 'node:fs';
import { serverOnPath } from '@steelyard/redis';
import { describe, expect, it } from 'vitest';
import { killedSweep } from './faults/sweep.js';

// Processes are found by what /proc says of them. `npm run test:faults -- --sweep 30` plays a longer one.
describe.skipIf(!existsSync('/proc/self/environ') || serverOnPath() === null)('a sweep whose service is killed twice', () => {
	it('finds what the same sweep finds undisturbed, by as many jobs', async () => {
		const { disturbed, undisturbed, jobs } = await killedSweep({ trials: 6, kills: [0.3, 0.7] });
		expect(disturbed).toEqual(undisturbed);
		expect(undisturbed).toMatchObject({ status: 'succeeded', counts: { running: 0, failed: 0 } });
		expect(jobs.disturbed).toBe(jobs.undisturbed);
	});
});
