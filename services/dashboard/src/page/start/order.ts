import type { JobResource, JobResult } from '@steelyard/contracts';

/** Jobs by where they stand. */
export type Order = {
	/** Those that run, the one that began first at the top. */
	readonly running: readonly JobResource[];
	/** Those that wait, in the order in which they will begin: the highest priority first, and of several the one that was posted first. */
	readonly queued: readonly JobResource[];
	readonly paused: readonly JobResource[];
	/** Those that have ended, the last one at the top. */
	readonly ended: readonly JobResource[];
};

/** Sorts jobs by where they stand. */
export function orderOf(jobs: readonly JobResource[]): Order {
	const of = (...statuses: JobResource['status'][]): JobResource[] => jobs.filter(({ status }) => statuses.includes(status));
	const priority = ({ spec }: JobResource): number => spec.priority ?? 0;
	return {
		running: of('running').sort((a, b) => (a.started_at ?? 0) - (b.started_at ?? 0)),
		queued: of('queued').sort((a, b) => priority(b) - priority(a) || (a.id < b.id ? -1 : 1)),
		paused: of('paused'),
		ended: of('succeeded', 'failed', 'cancelled').sort((a, b) => (b.finished_at ?? 0) - (a.finished_at ?? 0)),
	};
}

/** What a job is judged by: the metric of early stopping unless that is the loss, else the accuracy, or the mean absolute error of a regression. */
export type MainMetric = { readonly split: string; readonly name: string; readonly value: number };

const splitOf = (metrics: JobResult['metrics']): string | undefined => ['test', 'validation'].find((split) => metrics[split] !== undefined);

/** The main metric of a job, on the test split where it has one; null where it has none yet. */
export function mainMetric({ result, spec }: Pick<JobResource, 'result' | 'spec'>): MainMetric | null {
	const split = result === null ? undefined : splitOf(result.metrics);
	if (result === null || split === undefined) return null;
	const metrics = result.metrics[split] ?? {};
	const stopped = spec.training.early_stopping?.metric ?? 'loss';
	for (const name of [...(stopped === 'loss' ? [] : [stopped]), 'accuracy', 'mae', 'loss']) {
		const value = metrics[name];
		if (typeof value === 'number') return { split, name, value };
	}
	return null;
}
