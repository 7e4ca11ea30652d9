import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { promotionOf } from '../src/asha.js';
import { type Decision, type Outcome, type Promotion, rungsOf, type Start } from '../src/index.js';
import { trialsOf } from '../src/trials.js';
import { noisy, planOf, play, promote, start } from './plans.js';

const asha = (minimum = 1, factor = 3) => ({ type: 'asha', minimum, factor });
const value = (number: number): Outcome => ({ value: number });
const FAILED: Outcome = { failed: true };

describe('the rungs', () => {
	it.each([
		[1, 3, 27, [1, 3, 9, 27]],
		[1, 4, 256, [1, 4, 16, 64, 256]],
		[5, 3, 40, [5, 15, 40]],
		[2, 2, 9, [2, 4, 8, 9]],
	])('from %i epochs by a factor of %i to %i are %j', (minimum, factor, maximumEpochs, rungs) => {
		expect(rungsOf(planOf({ pruning: asha(minimum, factor) }, maximumEpochs))).toEqual(rungs);
	});

	it('are the whole training alone where nothing is pruned', () => {
		expect(rungsOf(planOf())).toEqual([27]);
	});
});

describe('a promotion', () => {
	const plan = planOf({ pruning: asha() }, 9);
	const promoted = (decisions: Decision[], outcomes: (Outcome | undefined)[]) => promotionOf(plan, trialsOf(plan, decisions, outcomes));
	const starts = (count: number) => Array.from({ length: count }, (_, trial) => start(trial, {}, 1));

	it('goes to the best of three, and to nobody of two', () => {
		expect(promoted(starts(2), [value(3), value(1)])).toBeNull();
		expect(promoted(starts(3), [value(3), value(1), value(2)])).toEqual(promote(1, 3));
		expect(promoted(starts(4), [value(3), value(1), value(2)])).toEqual(promote(1, 3));
	});

	it('goes to each trial once, and to the next best only when three more have a result', () => {
		const before: Decision[] = [...starts(5), promote(1, 3)];
		const results = [value(3), value(1), value(2), value(5), value(4)];
		expect(promoted(before, results)).toBeNull();
		expect(promoted([...before, start(5, {}, 1)], [...results, undefined, value(6)])).toEqual(promote(2, 3));
	});

	it('is looked for on the highest rung first', () => {
		const before: Decision[] = [...starts(12), promote(0, 3), promote(1, 3), promote(2, 3)];
		const results = Array.from({ length: 12 }, (_, i) => value(i));
		expect(promoted(before, results)).toEqual(promote(3, 3));
		expect(promoted(before, [...results, value(7), value(5), value(6)])).toEqual(promote(1, 9));
	});

	it('follows the direction', () => {
		const upwards = planOf({ pruning: asha(), direction: 'maximise' }, 9);
		expect(promotionOf(upwards, trialsOf(upwards, starts(3), [value(3), value(1), value(2)]))).toEqual(promote(0, 3));
	});

	it('never goes to a trial that failed, which counts among the results as the worst', () => {
		expect(promoted(starts(3), [FAILED, value(9), FAILED])).toEqual(promote(1, 3));
		expect(promoted(starts(3), [FAILED, FAILED, FAILED])).toBeNull();
		expect(promoted(starts(3), [value(Number.NaN), value(1), value(Number.NEGATIVE_INFINITY)])).toEqual(promote(1, 3));
	});

	it('goes to the earlier of equal trials', () => {
		expect(promoted(starts(3), [value(2), value(1), value(1)])).toEqual(promote(1, 3));
	});

	it('leads, in a whole sweep, to as many trials on each rung as successive halving has', () => {
		// Bracket s = 0 of figure 1 of the paper: 9 trials of 1 epoch, 3 of 3, 1 of 9, whatever the order in which trials end.
		const { decisions } = play(planOf({ pruning: asha(), budget: { trials: 9 } }, 9), (_, __, ___, trial) => value(trial));
		const countOf = (epochs: number) => decisions.filter((decision) => decision.epochs === epochs).length;
		expect([1, 3, 9].map(countOf)).toEqual([9, 3, 1]);
		expect(decisions.at(-1)).toEqual(promote(0, 9));
	});

	it('keeps to the rule in every sweep', () => {
		const sweeps = fc.record({
			factor: fc.integer({ min: 2, max: 4 }),
			trials: fc.integer({ min: 1, max: 40 }),
			concurrency: fc.integer({ min: 1, max: 6 }),
			seed: fc.nat(1000),
			workers: fc.integer({ min: 1, max: 6 }),
		});
		fc.assert(
			fc.property(sweeps, ({ factor, trials, concurrency, seed, workers }) => {
				const given = planOf({ pruning: asha(1, factor), budget: { trials }, concurrency, seed }, 20);
				const rungs = rungsOf(given);
				const { decisions, outcomes } = play(given, noisy, { workers, seed });
				expect(decisions.filter((decision): decision is Start => decision.kind === 'start').map(({ trial }) => trial)).toEqual(
					Array.from({ length: trials }, (_, i) => i),
				);
				for (let rung = 1; rung < rungs.length; rung++) {
					const at = (epochs: number) => decisions.flatMap((decision, i) => (decision.epochs === epochs ? { ...decision, i } : []));
					const [below, here] = [at(rungs[rung - 1]!), at(rungs[rung]!)];
					// At the end nothing is left to promote, and results that came later never make fewer.
					const values = below.map(({ i }) => outcomes[i]!).flatMap((outcome) => ('value' in outcome ? outcome.value : Infinity));
					const top = values.toSorted((a, b) => a - b).slice(0, Math.floor(below.length / factor));
					const promotedValues = here.map(({ trial }) => values[below.findIndex((one) => one.trial === trial)]!);
					expect(top.filter((one) => one < Infinity && !promotedValues.includes(one))).toEqual([]);
					expect(promotedValues).not.toContain(Infinity);
					expect(new Set(here.map(({ trial }) => trial)).size).toBe(here.length);
					for (const { trial, i } of here as (Promotion & { i: number })[])
						expect(below.find((one) => one.trial === trial)!.i).toBeLessThan(i);
				}
			}),
			{ seed: 1, numRuns: 40 },
		);
	});
});
