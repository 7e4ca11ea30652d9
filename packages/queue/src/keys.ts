import type { JobStatus } from '@steelyard/contracts';

/** Every key in Redis, with what lies under it. The keys of BullMQ begin with `deliveries`. */
export const keysOf = (prefix: string) => ({
	/** hash: `record` as JSON, `revision` (how often it changed), `turn` (how often it changed in a way that the store is to know), `final` (0 or 1) */
	job: (id: string) => `${prefix}:job:${id}`,
	/** sorted set of all ids at score 0: ids sort by creation */
	jobs: `${prefix}:jobs`,
	/** set of ids */
	withStatus: (status: JobStatus) => `${prefix}:status:${status}`,
	/** set of ids of jobs that have not ended and use this dataset or model */
	using: (id: string) => `${prefix}:using:${id}`,
	/** set of ids of jobs whose copy in the store is older than the record here */
	unsaved: `${prefix}:unsaved`,
	/** set of ids of jobs that have ended and whose folders are not cleared yet */
	ended: `${prefix}:ended`,
	/** stream with one field, the event's body */
	events: (id: string) => `${prefix}:events:${id}`,
	/** hash: `job` id, `body` hash */
	idempotency: (hash: string) => `${prefix}:idempotency:${hash}`,
	/** set of ids */
	workers: `${prefix}:workers`,
	/** string: the status of a worker as JSON, which expires when the worker is gone */
	worker: (id: string) => `${prefix}:worker:${id}`,
	/** string of its own for every filling: set once the jobs that only the store knew were added to this Redis; a new Redis lacks it */
	rebuilt: `${prefix}:rebuilt`,
	/** string that says nothing: written to see whether this Redis takes writes */
	probe: `${prefix}:probe`,
	/** channel: the id of a job to which something happened */
	happened: `${prefix}:happened`,
	/** channel: the id of a job that is to be cancelled or paused */
	stop: `${prefix}:stop`,
	deliveries: `${prefix}:deliveries`,
});
export type Keys = ReturnType<typeof keysOf>;
