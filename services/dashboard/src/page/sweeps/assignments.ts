import type { SweepResource, SweepTrial } from '@steelyard/contracts';
import { meanOf } from '../compare/seed-groups.js';

/** An assignment of a sweep with the trials of its seeds, which are one unless the sweep has several. */
export type TriedAssignment = {
	readonly values: SweepTrial['assignment'];
	/** By their seeds. */
	readonly trials: readonly SweepTrial[];
	/** The mean over the seeds that were trained to their end; of those that were not, that of the epochs that they have. */
	readonly mean: number | null;
	/** Half of the 95 % interval of the mean; null with fewer than two values. */
	readonly half: number | null;
	/** How many of the seeds were trained to their end. */
	readonly completed: number;
	/** Of how many epochs the value is; 0 without one. */
	readonly epochs: number;
	readonly state: SweepTrial['state'];
};

function stateOf(trials: readonly SweepTrial[]): SweepTrial['state'] {
	const states = trials.map(({ state }) => state);
	return (['running', 'completed', 'pruned'] as const).find((state) => states.includes(state)) ?? 'failed';
}

function triedAssignment(trials: readonly SweepTrial[]): TriedAssignment {
	const completed = trials.filter(({ state }) => state === 'completed');
	const valued = completed.length > 0 ? completed : trials.filter(({ value }) => value !== null);
	const found = meanOf(valued.flatMap(({ value }) => value ?? []));
	return {
		values: trials[0]?.assignment ?? {},
		trials,
		mean: found?.mean ?? null,
		half: found?.half ?? null,
		completed: completed.length,
		epochs: Math.max(0, ...valued.map(({ epochs }) => epochs)),
		state: stateOf(trials),
	};
}

/**
 * The assignments that a sweep has tried, the best first: those all of whose seeds were trained to their end by their means, then those with a seed that was, then the
 * others in the order of their best trials, which is that of the sweep.
 */
export function assignmentsOf({ trials, spec }: Pick<SweepResource, 'trials' | 'spec'>): TriedAssignment[] {
	const groups = new Map<number, SweepTrial[]>();
	for (const trial of trials) {
		const number = Math.floor(trial.trial / spec.seeds);
		groups.set(number, [...(groups.get(number) ?? []), trial]);
	}
	const sign = spec.direction === 'minimise' ? 1 : -1;
	// A group has the place of its best trial, so that only what was trained to its end is to be sorted.
	const tried = [...groups.values()].map((own) => triedAssignment(own.toSorted((a, b) => a.seed - b.seed)));
	const level = ({ completed }: TriedAssignment): number => (completed === spec.seeds ? 0 : completed > 0 ? 1 : 2);
	const value = (one: TriedAssignment): number => (level(one) === 2 ? 0 : sign * (one.mean as number));
	return tried.toSorted((a, b) => level(a) - level(b) || value(a) - value(b));
}
