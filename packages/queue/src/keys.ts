import type { JobStatus } from '@steelyard/contracts';

/** Every key that we use ourselves; those of BullMQ begin with `deliveries`. */
export const keysOf = (prefix: string) => ({
	/** hash: `record` JSON, `revision`, `turn` (how often it was to be mirrored), `final` 0 or 1 */
	job: (id: string) => `${prefix}:job:${id}`,
	/** sorted set of all ids at score 0: ids sort by creation */
	jobs: `${prefix}:jobs`,
	/** set of ids */
	withStatus: (status: JobStatus) => `${prefix}:status:${status}`,
	/** set of ids of jobs that have not ended and use this dataset or model */
	using: (id: string) => `${prefix}:using:${id}`,
	/** set of ids whose record in the store is older than the one here */
	unsaved: `${prefix}:unsaved`,
	/** stream with one field, the event's body */
	events: (id: string) => `${prefix}:events:${id}`,
	/** hash: `job` id, `body` hash */
	idempotency: (hash: string) => `${prefix}:idempotency:${hash}`,
	/** set of ids */
	workers: `${prefix}:workers`,
	/** string: what a worker said of itself */
	worker: (id: string) => `${prefix}:worker:${id}`,
	/** there since this Redis was brought up to what the store knows */
	rebuilt: `${prefix}:rebuilt`,
	/** channel: the id of a job to which something happened */
	happened: `${prefix}:happened`,
	/** channel: the id of a job that is to be cancelled */
	cancel: `${prefix}:cancel`,
	deliveries: `${prefix}:deliveries`,
});
export type Keys = ReturnType<typeof keysOf>;
