import type {
	Artifact,
	JobError,
	JobEvent,
	JobEventBody,
	JobResource,
	JobResult,
	JobStatus,
	List,
	ModelVerdict,
	Readiness,
	WorkerStatus,
} from '@steelyard/contracts';
import type { Log } from '@steelyard/redis';

/** What changes in a job beside its status. */
export type JobPatch = Partial<Omit<JobResource, 'id' | 'object' | 'status' | 'created_at' | 'spec'>>;

/** Job records. Every change of status is one atomic step, is told by a status event, and is mirrored to `jobs/<id>/job.json` in the store. */
export type Jobs = {
	/**
	 * Keeps a new job, which `enqueue` then hands to the workers. A key that was used before with the same body gives the job of then;
	 * with another body ProblemError `idempotency_mismatch`. Keys are kept for a day.
	 */
	create(job: JobResource, options?: { idempotencyKey?: string; bodyHash?: string }): Promise<JobResource>;
	get(id: string): Promise<JobResource | null>;
	/** Newest first; `after` is the id of the last one seen. */
	list(page: { limit: number; after?: string }): Promise<List<JobResource>>;
	/** Changes fields of a job that has not ended; null where it has, is unknown, or is no longer in `attempt`. */
	update(id: string, patch: JobPatch, attempt?: number): Promise<JobResource | null>;
	/** Moves a job to status `to` if it is in one of `from` (and, where given, in `attempt`); null where it is not, or is unknown. */
	transition(id: string, from: readonly JobStatus[], to: JobStatus, patch?: JobPatch, attempt?: number): Promise<JobResource | null>;
	/**
	 * A queued job is cancelled at once; of a running one the worker that holds it is told, and `cancel_requested` stands until it has ended.
	 * Throws ProblemError `not_found`, or `job_not_cancellable` where it has ended.
	 */
	requestCancel(id: string): Promise<JobResource>;
	/** How many jobs that have not ended use a dataset or an uploaded model. */
	countUsing(id: string): Promise<number>;
	counts(): Promise<Record<JobStatus, number>>;
	/**
	 * Brings Redis up to what the store knows, and queues every job that neither has ended nor waits; returns how many were queued.
	 * `alone` says that no worker can be alive, so that what was running is queued again at once and not only when its lock has run out.
	 */
	rebuild(options?: { alone?: boolean }): Promise<number>;
};

/** What happened in a job. Ids grow; status events are written by the changes of status themselves. */
export type Events = {
	/** null where the job has ended or is unknown: nothing happens after its end. */
	append(id: string, body: JobEventBody): Promise<JobEvent | null>;
	/** Oldest first, at most `limit` (100 unless given), after the event `after`. Of a long job the oldest may be gone. */
	read(id: string, page?: { after?: string; limit?: number }): Promise<JobEvent[]>;
	/** What happened after the event `after`, then what happens, until the event of a final status or until `signal` is aborted. */
	follow(id: string, after: string | undefined, signal: AbortSignal): AsyncIterable<JobEvent>;
};

export type Workers = {
	/** Keeps a worker on the list until `withdraw` or until its process has been gone for 15 s; a second call replaces what is said of it. */
	announce(worker: WorkerStatus): Promise<void>;
	withdraw(id: string): Promise<void>;
	list(): Promise<WorkerStatus[]>;
};

/** Why an attempt should stop: the user asked, the worker is to end, or the job has been given to another. */
export type StopReason = 'cancelled' | 'shutdown' | 'lost';

/** The `reason` of an attempt's signal. */
export class AttemptStopped extends Error {
	override readonly name = 'AttemptStopped';
	readonly code: StopReason;

	constructor(code: StopReason) {
		super({ cancelled: 'the job was cancelled', shutdown: 'the worker is to end', lost: 'the job was given to another worker' }[code]);
		this.code = code;
	}
}

/** An attempt that wanted to end a job which has ended, or which another attempt has taken. */
export class StaleAttemptError extends Error {
	override readonly name = 'StaleAttemptError';
	readonly code = 'stale_attempt';

	constructor(id: string, attempt: number, found: string) {
		super(`attempt ${attempt} of ${id} cannot commit: ${found}`);
	}
}

/** What a whole job leaves: artifacts by name, which lie in `jobs/<id>/attempts/<attempt>/`. */
export type Outcome = { result: JobResult; artifacts: Artifact[] };

/**
 * What an attempt came to. `stopped`: it ended because its signal asked, and the reason decides whether the job is cancelled or queued again.
 * `retry`: it failed in a way that another attempt may not, and the job is queued again.
 */
export type AttemptEnd =
	| ({ status: 'succeeded' } & Outcome)
	| { status: 'failed'; error: JobError }
	| { status: 'stopped' }
	| { status: 'retry' };

export type Attempt = {
	/** Counts from 1. */
	attempt: number;
	/** The job as this attempt found it. */
	job: JobResource;
	/** Aborted with an AttemptStopped. */
	signal: AbortSignal;
};

export type WorkOptions = {
	/** Jobs at one time; 1 unless given. */
	concurrency?: number;
	/** Runs one attempt. What it throws fails the job: a ProblemError with its code, any other error as `internal`. */
	process(id: string, attempt: Attempt): Promise<AttemptEnd>;
	/** Called when an attempt's end has been recorded, with the job as it then is; not called for an attempt that was lost. */
	settled?(job: JobResource, attempt: number): Promise<void> | void;
	log?: Log;
	/** After how many milliseconds without a sign of life a worker's job is given to another; 15,000 unless given. */
	lockMs?: number;
	/** How often a lost attempt is followed by another before the job fails as `trainer_crashed`; 3 unless given. */
	losses?: number;
	/** Milliseconds between looks at the records of the jobs at hand, for cancellations whose message was lost; 2,000 unless given. */
	checkMs?: number;
};

export type Work = {
	/** Takes no more jobs, stops those at hand (`shutdown`), waits for them at most `graceMs` milliseconds, and lets go. */
	close(graceMs: number): Promise<void>;
};

export type InspectionOptions = {
	/**
	 * Inspects one model. What it throws is no verdict: the model is inspected again, and refused after three attempts that ended so or with the loss of
	 * their worker. After `signal` is aborted it throws, and its attempt does not count.
	 */
	process(id: string, signal: AbortSignal): Promise<ModelVerdict>;
	log?: Log;
	/** After how many milliseconds without a sign of life a worker's model is given to another; 15,000 unless given. */
	lockMs?: number;
};

/** Uploaded models, `models/<id>/model.json` in the store, on their way to a verdict, which one exclusive create of `models/<id>/report.json` makes. */
export type Inspections = {
	/** Hands a model to the workers; nothing happens where they have it already. */
	enqueue(id: string): Promise<void>;
	/** Takes a model back if no worker holds it. */
	withdraw(id: string): Promise<void>;
	/** null while there is none. */
	verdict(id: string): Promise<ModelVerdict | null>;
	/** Queues every model of the store that neither has a verdict nor waits; returns how many. `alone` as that of the jobs. */
	rebuild(options?: { alone?: boolean }): Promise<number>;
	/** Takes models, one at a time and at least once each. */
	work(options: InspectionOptions): Work;
};

/** Every method that needs Redis rejects with ProblemError `unavailable` where it cannot be reached for about 8 s. */
export type Queue = {
	jobs: Jobs;
	events: Events;
	workers: Workers;
	inspections: Inspections;
	/** Hands a job to the workers; nothing happens where they have it already. */
	enqueue(id: string): Promise<void>;
	/** Takes jobs, at least once each: one whose worker is gone is given to another, one that has ended is not run again. */
	work(options: WorkOptions): Work;
	/** Begins the next attempt of a job; null where it has ended, is to be cancelled or is unknown. */
	claim(id: string): Promise<JobResource | null>;
	/** Ends a job with its result: by one exclusive create of `jobs/<id>/result.json`, so that only one attempt ever does. Throws StaleAttemptError. */
	commit(id: string, attempt: number, outcome: Outcome): Promise<JobResource>;
	/** Never rejects. */
	health(): Promise<Readiness['redis']>;
	/** Lets go of Redis within 5 s; end `work` first. */
	close(): Promise<void>;
};
