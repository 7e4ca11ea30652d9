import type { SweepPlan } from './plan.js';
import type { Assignment } from './space.js';
import { lastReport, type Trial } from './trials.js';

/**
 * What is known of one assignment, over its seeds. `finished`: `loss` is the mean over the seeds that have one, after `epochs` epochs. `failed`: every seed that
 * ended has failed. `running`: no seed has ended.
 */
export type Observation = {
	readonly assignment: Assignment;
	readonly state: 'running' | 'failed' | 'finished';
	readonly epochs: number;
	readonly loss: number;
};

function observationOf(seeds: readonly Trial[]): Observation {
	const reports = seeds.flatMap((trial) => lastReport(trial) ?? []);
	const losses = reports.flatMap(({ loss }) => loss ?? []);
	const { assignment } = seeds[0] as Trial;
	if (losses.length === 0)
		return { assignment, state: reports.length === 0 ? 'running' : 'failed', epochs: 0, loss: Number.POSITIVE_INFINITY };
	return {
		assignment,
		state: 'finished',
		epochs: Math.max(...reports.map(({ epochs }) => epochs)),
		loss: losses.reduce((sum, loss) => sum + loss, 0) / losses.length,
	};
}

/** One observation per assignment, oldest first. */
export function observationsOf({ seeds }: Pick<SweepPlan, 'seeds'>, trials: readonly Trial[]): Observation[] {
	const observations: Observation[] = [];
	for (let first = 0; first < trials.length; first += seeds) observations.push(observationOf(trials.slice(first, first + seeds)));
	return observations;
}

/** Negative where `a` is better: what was worth more epochs is, then what has the lower loss; 0 where neither is. */
export const compare = (a: Observation, b: Observation): number => b.epochs - a.epochs || (a.loss < b.loss ? -1 : a.loss > b.loss ? 1 : 0);
