import type { SweepResource, SweepStatus, SweepTrial } from '@steelyard/contracts';
import { importance, leaderboard, type RankedAssignment, type SweepPlan } from '@steelyard/search';
import type { SweepState } from './sweep-files.js';

/** What a sweep decides by. `epochs`: those of a trial that is trained to its end. */
export const planOf = ({ record: { spec } }: Pick<SweepState, 'record'>, epochs: number): SweepPlan => {
	const { name: _name, job: _job, metric: _metric, ...search } = spec;
	return { ...search, maximumEpochs: epochs };
};

/** A sweep as clients see it. */
export function sweepResource(state: SweepState, epochs: number): SweepResource {
	const { record, wish, end, decided, outcomes } = state;
	const plan = planOf(state, epochs);
	const decisions = decided.map(({ decision }) => decision);
	const { trials, best } = leaderboard(plan, decisions, outcomes);
	const jobs = new Map(decided.map(({ decision: { trial }, job }) => [trial, job]));
	const jobOf = (trial: number): string => jobs.get(trial) as string;
	const order = new Map(trials.map(({ trial }, place) => [trial, place]));
	const shownBest = ({ assignment, trials: own, value }: RankedAssignment): SweepResource['best'] =>
		value && {
			assignment,
			jobs: own.toSorted((a, b) => (order.get(a) as number) - (order.get(b) as number)).map(jobOf),
			mean: value.mean,
			low: value.interval?.low ?? null,
			high: value.interval?.high ?? null,
		};
	const count = (state: SweepTrial['state']) => trials.filter((trial) => trial.state === state).length;
	const status: SweepStatus = end?.status ?? (wish === 'cancelled' ? 'running' : wish);
	return {
		id: record.id,
		object: 'sweep',
		project: record.project,
		status,
		created_at: record.created_at,
		finished_at: end?.finished_at ?? null,
		spec: record.spec,
		counts: { completed: count('completed'), pruned: count('pruned'), running: count('running'), failed: count('failed') },
		best: best === null ? null : shownBest(best),
		trials: trials.map((trial) => ({ ...trial, job: jobOf(trial.trial) })),
		importance: importance(plan, decisions, outcomes),
	};
}
