import type { Interval } from '@steelyard/contracts';
import type { Decision, Outcomes, SweepPlan } from './plan.js';
import type { Assignment } from './space.js';
import { studentT } from './student-t.js';
import { lastReport, signOf, type Trial, trialsOf } from './trials.js';

/**
 * - `completed`: trained to its end
 * - `pruned`: has a value after fewer epochs, and nothing of it runs; it may still be promoted while the sweep is not done
 * - `running`: its last decision has no outcome; where it was promoted, it has the value of before
 * - `failed`
 */
export type TrialState = 'completed' | 'pruned' | 'running' | 'failed';

/** `value` is that after `epochs` epochs; where there is none it is null and `epochs` 0. */
export type RankedTrial = {
	readonly trial: number;
	readonly assignment: Assignment;
	readonly seed: number;
	readonly state: TrialState;
	readonly epochs: number;
	readonly value: number | null;
};

/** An assignment over its seeds. `completed` of them were trained to their end; `value` is their mean with its 95 % interval by Student's t, which needs two. */
export type RankedAssignment = {
	readonly assignment: Assignment;
	readonly trials: readonly number[];
	readonly completed: number;
	readonly failed: number;
	readonly value: { readonly mean: number; readonly interval: Omit<Interval, 'mean'> | null } | null;
};

export type Leaderboard = {
	/** Best first: the completed ones by value, then those with a value after fewer epochs, the most epochs first and of these by value, then those without one, then the failed ones. Of equals the earlier is first. */
	readonly trials: readonly RankedTrial[];
	/** Best first: those all of whose seeds completed, by mean; then those with a seed that completed, by mean; then the others in the order of their best trials. */
	readonly assignments: readonly RankedAssignment[];
	/** The first assignment, where it has a value; else null. */
	readonly best: RankedAssignment | null;
};

function rankedTrial(plan: SweepPlan, trial: Trial): RankedTrial {
	const valued = trial.reports.findLast(({ loss }) => loss !== null);
	const state = trial.reports.at(-1)?.state === 'running' ? 'running' : lastReport(trial)?.state === 'failed' ? 'failed' : null;
	const epochs = valued?.epochs ?? 0;
	const value = valued === undefined ? null : signOf(plan) * (valued.loss as number);
	const { number, assignment, seed } = trial;
	return { trial: number, assignment, seed, state: state ?? (epochs === plan.maximumEpochs ? 'completed' : 'pruned'), epochs, value };
}

function rankedAssignment(trials: readonly RankedTrial[]): RankedAssignment {
	const values = trials.flatMap(({ state, value }) => (state === 'completed' ? (value as number) : []));
	const count = values.length;
	const mean = values.reduce((sum, value) => sum + value, 0) / count;
	const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1));
	const half = count < 2 ? 0 : (studentT(0.95, count - 1) * deviation) / Math.sqrt(count);
	return {
		assignment: (trials[0] as RankedTrial).assignment,
		trials: trials.map(({ trial }) => trial),
		completed: count,
		failed: trials.filter(({ state }) => state === 'failed').length,
		value: count === 0 ? null : { mean, interval: count < 2 ? null : { low: mean - half, high: mean + half } },
	};
}

/** In the order of several numbers each, the first of which counts most. */
const byKeys =
	<T>(keysOf: (one: T) => readonly number[]) =>
	(a: T, b: T): number => {
		const [x, y] = [keysOf(a), keysOf(b)];
		const at = x.findIndex((key, i) => key !== y[i]);
		return at === -1 ? 0 : (x[at] as number) - (y[at] as number);
	};

/** What a sweep has found so far, of which `outcomes` may know a part only. */
export function leaderboard(plan: SweepPlan, decisions: readonly Decision[], outcomes: Outcomes): Leaderboard {
	const sign = signOf(plan);
	const started = trialsOf(plan, decisions, outcomes).map((trial) => rankedTrial(plan, trial));
	const trials = started.toSorted(
		byKeys(({ state, epochs, value }) => (state === 'failed' ? [1, 0, 0] : [0, -epochs, value === null ? 0 : sign * value])),
	);
	const place = new Map(trials.map(({ trial }, i) => [trial, i]));
	const groups = Array.from({ length: Math.ceil(started.length / plan.seeds) }, (_, g) =>
		rankedAssignment(started.slice(g * plan.seeds, (g + 1) * plan.seeds)),
	);
	const assignments = groups.toSorted(
		byKeys(({ completed, value, trials: own }) =>
			value === null
				? [2, Math.min(...own.map((trial) => place.get(trial) as number))]
				: [completed === plan.seeds ? 0 : 1, sign * value.mean],
		),
	);
	const [first] = assignments;
	return { trials, assignments, best: first !== undefined && first.value !== null ? first : null };
}
