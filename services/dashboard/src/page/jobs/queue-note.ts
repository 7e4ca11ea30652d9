import type { JobResource, WorkerStatus } from '@steelyard/contracts';

/** The places of queued jobs among those of their project, from 1, by their ids: a higher priority comes first, then what was posted first. */
export function queuePlaces(jobs: readonly JobResource[]): ReadonlyMap<string, number> {
	const queued = jobs.filter(({ status }) => status === 'queued');
	const order = queued.sort((a, b) => (b.spec.priority ?? 0) - (a.spec.priority ?? 0) || (a.id < b.id ? -1 : 1));
	return new Map(order.map(({ id }, i) => [id, i + 1]));
}

/** Why a job does not go on; null where it does. `workers`: those that are alive, null where that is not known. */
export function reasonOfWaiting(
	job: JobResource,
	place: number | undefined,
	workers: readonly Pick<WorkerStatus, 'jobs'>[] | null,
): string | null {
	if (job.waiting) return job.waiting.message;
	if (job.status !== 'queued') return null;
	const before = place === undefined || place === 1 ? 'it is next' : `${place - 1} before it`;
	if (workers === null) return before;
	if (workers.length === 0) return `no worker is alive; ${before}`;
	return `${before}; ${workers.length === 1 ? 'the worker is' : `all ${workers.length} workers are`} busy, or jobs of other projects have their turn`;
}
