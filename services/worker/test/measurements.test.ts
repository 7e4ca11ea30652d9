import { countIn, distributionIn, type Measured, type Tally } from '@steelyard/contracts';
import { describe, expect, it } from 'vitest';
import { openMeasurements } from '../src/measurements.js';

describe('what a trainer measures of itself', () => {
	const reports: { latest: Measured; tally: Tally }[] = [];
	const report = (latest: Measured, tally: Tally) => void reports.push({ latest, tally });
	const steps = { of: 'steps', steps: 10, rows: 80, seconds: 0.5 } as const;

	it('is reported at once the first time, then together with what comes until the next report', () => {
		const measurements = openMeasurements(report, Number.POSITIVE_INFINITY);
		measurements.take(steps);
		expect(reports).toHaveLength(1);
		measurements.take(steps);
		measurements.take({ of: 'checkpoint', seconds: 0.25, bytes: 1000 });
		measurements.take({ of: 'refresh', seconds: 2 });
		expect(reports).toHaveLength(1);
		measurements.flush();
		expect(reports).toHaveLength(2);
		const [first, second] = reports;
		expect(first?.latest).toEqual({ step_seconds: 0.05, peak_memory_bytes: expect.any(Number) });
		expect(second?.latest).toMatchObject({ step_seconds: 0.05, checkpoint_seconds: 0.25, checkpoint_bytes: 1000, refresh_seconds: 2 });
		expect(countIn(second?.tally as Tally, 'rows')).toEqual({ '': 80 });
		expect(countIn(second?.tally as Tally, 'checkpoint_bytes')).toEqual({ '': 1000 });
		expect(distributionIn(second?.tally as Tally, 'step_seconds')).toMatchObject({ count: 10, sum: 0.5 });
		expect(distributionIn(second?.tally as Tally, 'refresh_seconds')).toMatchObject({ count: 1, sum: 2 });
	});

	it('has the most memory that the process has taken', () => {
		const [{ peak_memory_bytes: peak = 0 } = {}] = reports.map(({ latest }) => latest);
		expect(peak).toBeGreaterThan(20e6);
		expect(peak).toBeGreaterThan(0.5 * process.memoryUsage.rss());
	});
});
