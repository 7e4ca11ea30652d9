import type { JobStatus } from '@steelyard/contracts';

/** The number of the layout below, which stands in every key. A Redis that knows another one alone is filled from the store as a new one is. */
const LAYOUT = 2;

/** Every key in Redis, with what lies under it. The keys of BullMQ begin with `deliveries`. */
export const keysOf = (prefix: string) => {
	const root = `${prefix}:${LAYOUT}`;
	return {
		/** What every key of an installation begins with, whatever its layout, and what the keys of this layout begin with. */
		ofInstallation: `${prefix}:`,
		ofLayout: `${root}:`,
		/** hash: `record` as JSON, `revision` (how often it changed), `turn` (how often it changed in a way that the store is to know), `final` (0 or 1), `queue` (the name of the queue of BullMQ that may deliver it; absent where none may) */
		job: (id: string) => `${root}:job:${id}`,
		/** sorted set of the names of all projects that have had a job, by their last turn: that of `turn` when a job of theirs was last handed over */
		projects: `${root}:projects`,
		/** sorted set of the ids of a project at score 0: ids sort by creation */
		jobs: (project: string) => `${root}:jobs:${project}`,
		/** integer: how many jobs were handed over so far */
		turn: `${root}:turn`,
		/** sorted set of ids: of the queued ones those of higher priority first, then by creation */
		withStatus: (project: string, status: JobStatus) => `${root}:status:${project}:${status}`,
		/** sorted set, in the same order, of the ids of the queued jobs that need the same of their worker, and the set of what queued jobs of a project need */
		waiting: (project: string, needs: string) => `${root}:waiting:${project}:${needs}`,
		needs: (project: string) => `${root}:needs:${project}`,
		/** sorted set, by the seconds of Redis's clock at their last sign of life: whoever runs jobs, with slots and abilities */
		working: `${root}:working`,
		/** sorted set, by the seconds of Redis's clock when a worker last had them: abilities */
		pools: `${root}:pools`,
		/** integer: how often jobs of a project have changed */
		changes: (project: string) => `${root}:changes:${project}`,
		/** string: the id of the job that the change of a number was of, until a later change takes its slot. Keys of their own: the Redis in JavaScript copies a whole set for each change of it. */
		change: (project: string, slot: number) => `${root}:changes:${project}:${slot}`,
		/** set of ids of jobs that have not ended and use this dataset or model */
		using: (id: string) => `${root}:using:${id}`,
		/** set of ids of jobs whose copy in the store is older than the record here */
		unsaved: `${root}:unsaved`,
		/** set of ids of jobs that have ended and whose folders are not cleared yet */
		ended: `${root}:ended`,
		/** stream with one field, the event's body */
		events: (id: string) => `${root}:events:${id}`,
		/** hash: `job` id, `body` hash; a key is known in its project alone */
		idempotency: (project: string, hash: string) => `${root}:idempotency:${project}:${hash}`,
		/** set of ids */
		workers: `${root}:workers`,
		/** string: the status of a worker as JSON, which expires when the worker is gone */
		worker: (id: string) => `${root}:worker:${id}`,
		/** string of its own for every filling: set once the jobs that only the store knew were added to this Redis; a new Redis lacks it */
		rebuilt: `${root}:rebuilt`,
		/** string: the run of the server on which the jobs of the store were last looked for in this Redis; that of another where this one took its place, or was started again */
		restoredOn: `${root}:restored-on`,
		/** integer: how often jobs were added to this Redis that only the store knew, of which no change tells */
		restorations: `${root}:restorations`,
		/** hash: the tally of all jobs, by its keys */
		tally: `${root}:tally`,
		/** string that says nothing: written to see whether this Redis takes writes */
		probe: `${root}:probe`,
		/** channel: the id of a job to which something happened */
		happened: `${root}:happened`,
		/** channel: the name of a project in which a job has changed */
		changed: `${root}:changed`,
		/** channel: the id of a job that is to be cancelled or paused */
		stop: `${root}:stop`,
		/** channel: what a worker is asked to predict */
		questions: (worker: string) => `${root}:questions:${worker}`,
		/** channel: the answers to what a process has asked */
		answers: (process: string) => `${root}:answers:${process}`,
		deliveries: `${root}:deliveries`,
		/** hash of BullMQ: an id that a queue holds */
		delivery: (queue: string, id: string) => `${root}:deliveries:${queue}:${id}`,
	};
};
export type Keys = ReturnType<typeof keysOf>;
