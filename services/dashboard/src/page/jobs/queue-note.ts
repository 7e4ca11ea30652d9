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
	const before = place === undefined || place === 1 ? 'next' : `${place - 1} before it`;
	if (workers === null) return before;
	return `${before}, ${workers.length === 0 ? 'no worker is alive' : workers.length === 1 ? 'worker busy' : 'workers busy'}`;
}
