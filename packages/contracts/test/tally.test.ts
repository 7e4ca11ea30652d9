import { describe, expect, it } from 'vitest';
import { countIn, DISTRIBUTIONS, distributionIn, type Tally, tallyCount, tallyValue } from '../src/index.js';

describe('a tally', () => {
	it('tells how many values were at most each bound, how many there were, and their sum', () => {
		const tally: Tally = {};
		tallyValue(tally, 'refresh_seconds', 0.5);
		tallyValue(tally, 'refresh_seconds', 1, 3);
		tallyValue(tally, 'refresh_seconds', 1e6);
		const { upTo, count, sum } = distributionIn(tally, 'refresh_seconds');
		expect(upTo.map(([bound]) => bound)).toEqual(DISTRIBUTIONS.refresh_seconds.bounds);
		expect(Object.fromEntries(upTo)).toMatchObject({ 0.3: 0, 1: 4, 3: 4, 300: 4 });
		expect([count, sum]).toEqual([5, 1_000_003.5]);
		expect(distributionIn(tally, 'step_seconds')).toMatchObject({ count: 0, sum: 0 });
	});

	it('is of whole numbers, and those of two processes are that of both when they are summed up', () => {
		const [one, other, both]: Tally[] = [{}, {}, {}];
		for (const [own, seconds] of [
			[one, 0.0001],
			[other, 0.1234567],
			[other, 12],
		] as const)
			for (const tally of [own, both]) tallyValue(tally as Tally, 'step_seconds', seconds, 7);
		const keys = [...new Set([...Object.keys(one as Tally), ...Object.keys(other as Tally)])];
		expect(Object.fromEntries(keys.map((key) => [key, (one?.[key] ?? 0) + (other?.[key] ?? 0)]))).toEqual(both);
		expect(Object.values(both as Tally).every(Number.isInteger)).toBe(true);
	});

	it('has counts, by their parts where they have some', () => {
		const tally: Tally = {};
		tallyCount(tally, 'rows', 5);
		tallyCount(tally, 'rows', 6);
		tallyCount(tally, 'attempts', 1, 'failed');
		expect([countIn(tally, 'rows'), countIn(tally, 'attempts'), countIn(tally, 'checkpoint_bytes')]).toEqual([
			{ '': 11 },
			{ failed: 1 },
			{ '': 0 },
		]);
	});
});
