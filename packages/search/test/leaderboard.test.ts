import { describe, expect, it } from 'vitest';
import { type Decision, leaderboard, type Outcome } from '../src/index.js';
import { studentT } from '../src/student-t.js';
import { fixture } from './fixture.js';
import { noisy, planOf, play, promote, start } from './plans.js';

const value = (number: number): Outcome => ({ value: number });
const FAILED: Outcome = { failed: true };

describe('the leaderboard of trials', () => {
	const decisions: Decision[] = [
		...Array.from({ length: 7 }, (_, trial) => start(trial, { a: trial }, 1)),
		promote(1, 3),
		promote(2, 3),
		promote(3, 3),
		promote(1, 9),
		promote(2, 9),
		start(7, { a: 7 }, 1),
	];
	const outcomes = [9, 1, 2, 3, 8, 7].map(value);
	const all = [...outcomes, FAILED, value(1), value(2), FAILED, value(6), value(5), undefined];
	const plan = planOf({ pruning: { type: 'asha' } }, 9);

	it('has the completed ones by value, then the pruned ones by rung and value, those that run, and the failed ones', () => {
		const { trials } = leaderboard(plan, decisions, all);
		expect(trials.map(({ trial, state, epochs, value: found }) => [trial, state, epochs, found])).toEqual([
			[2, 'completed', 9, 5],
			[1, 'completed', 9, 6],
			[5, 'pruned', 1, 7],
			[4, 'pruned', 1, 8],
			[0, 'pruned', 1, 9],
			[7, 'running', 0, null],
			[3, 'failed', 1, 3],
			[6, 'failed', 0, null],
		]);
	});

	it('keeps what a trial had before it was promoted while it runs on', () => {
		const { trials, best } = leaderboard(plan, decisions, [...all.slice(0, 9), undefined, undefined, undefined]);
		expect(trials.slice(0, 3).map(({ trial, state, epochs }) => [trial, state, epochs])).toEqual([
			[1, 'running', 3],
			[2, 'running', 3],
			[3, 'running', 1],
		]);
		expect(best).toBeNull();
	});

	it('has the greatest first where the direction says so', () => {
		const { trials, best } = leaderboard(
			planOf({ direction: 'maximise' }),
			[0, 1, 2].map((trial) => start(trial, { a: trial })),
			[value(1), value(3), value(Number.POSITIVE_INFINITY)],
		);
		expect(trials.map(({ trial, value: found }) => [trial, found])).toEqual([
			[1, 3],
			[0, 1],
			[2, null],
		]);
		expect(best).toMatchObject({ assignment: { a: 1 }, value: { mean: 3, interval: null } });
	});
});

describe('the leaderboard of assignments', () => {
	const plan = planOf({ seeds: 3 });
	const decisions = Array.from({ length: 12 }, (_, trial) => start(trial, { a: Math.floor(trial / 3) }, 27, trial % 3));

	it('has the mean over seeds with its interval, and those of which a seed failed behind all that are whole', () => {
		const outcomes = [value(1), FAILED, value(1), value(4), value(5), value(6), value(4), value(4), value(4), FAILED, FAILED, FAILED];
		const { assignments, best } = leaderboard(plan, decisions, outcomes);
		expect(assignments.map(({ assignment, completed, failed, value: found }) => [assignment['a'], completed, failed, found?.mean])).toEqual(
			[
				[2, 3, 0, 4],
				[1, 3, 0, 5],
				[0, 2, 1, 1],
				[3, 0, 3, undefined],
			],
		);
		expect(best).toBe(assignments[0]);
		expect(best!.value!.interval).toEqual({ low: 4, high: 4 });
		// scipy.stats.t.interval(0.95, 2, loc=5, scale=scipy.stats.sem([4, 5, 6]))
		expect(assignments[1]!.value!.interval!.low).toBeCloseTo(2.5158623, 6);
		expect(assignments[1]!.value!.interval!.high).toBeCloseTo(7.4841377, 6);
		expect(assignments[0]!.trials).toEqual([6, 7, 8]);
	});

	it('is empty before anything has begun', () => {
		expect(leaderboard(plan, [], [])).toEqual({ trials: [], assignments: [], best: null });
	});

	it('names as best the assignment of the best trial that was trained to its end', () => {
		const asha = planOf({ pruning: { type: 'asha' }, budget: { trials: 30 } });
		const { decisions: made, outcomes } = play(asha, noisy);
		const { trials, best } = leaderboard(asha, made, outcomes);
		expect(trials[0]!.state).toBe('completed');
		expect(best).toMatchObject({ assignment: trials[0]!.assignment, value: { mean: trials[0]!.value } });
	});
});

describe("the quantile of Student's t", () => {
	it.each(fixture<{ quantiles: [number, number][] }>('student-t').quantiles)(
		'for %i degrees of freedom is that of SciPy',
		(degrees, expected) => {
			expect(Math.abs(studentT(0.95, degrees) / expected - 1)).toBeLessThan(1e-12);
		},
	);
});
