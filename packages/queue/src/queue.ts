import type {
	Abilities,
	Artifact,
	FoundList,
	JobChange,
	JobError,
	JobEvent,
	JobEventBody,
	JobListChange,
	JobResource,
	JobResult,
	JobSpec,
	JobStatus,
	JobsQuery,
	ModelVerdict,
	Needs,
	Readiness,
	SweepResource,
	SweepSpec,
	Tally,
	WorkerStatus,
} from '@steelyard/contracts';
import type { Log } from '@steelyard/redis';

/** What changes in a job beside its status. */
export type JobPatch = Partial<Omit<JobResource, 'id' | 'object' | 'status' | 'created_at' | 'spec'>>;

/** What makes a request one that can be repeated: the key that the client chose, which its project alone knows, and a hash of the body. */
export type IdempotentRequest = { idempotencyKey: string; bodyHash: string };

/** Which page of which jobs of a project. */
export type JobSearch = Partial<JobsQuery> & Pick<JobsQuery, 'limit'> & { project: string };

/** The records of the jobs. Every change of status is one atomic step, writes a status event, and is copied to the job's record in the store. */
export type Jobs = {
	/**
	 * Keeps a new job, which `enqueue` then hands to the workers. Where the idempotency key was used before, resolves with the job that it made then, or
	 * throws ProblemError `idempotency_mismatch` if the body was another. Keys are kept for a day, also where Redis is emptied meanwhile.
	 */
	create(job: JobResource, request?: IdempotentRequest): Promise<JobResource>;
	/** The job that a request of the project with this key has made before; null where there was none. Throws as `create`. */
	repeated(request: IdempotentRequest & { project: string }): Promise<JobResource | null>;
	get(id: string): Promise<JobResource | null>;
	/** The names of all projects that have had a job, in the order of the alphabet. */
	projects(): Promise<string[]>;
	/**
	 * A page of the jobs of a project that fit, the newest first unless told otherwise; `after` is the `next` of the page before, or the id of its last job. A page
	 * may end early where many jobs do not fit; it then has a `next`. Throws ProblemError `invalid_request` where too many jobs are to be sorted by a metric.
	 */
	list(search: JobSearch): Promise<FoundList<JobResource>>;
	/**
	 * Changes the name and the metadata of a job, whatever its status. Resolves once the record in the store has the change. Throws ProblemError `not_found`, and
	 * `invalid_request` where the metadata would be too many.
	 */
	annotate(id: string, change: JobChange): Promise<JobResource>;
	/** Changes fields of a job that has not ended; null where it has, is unknown, or is no longer in `attempt`. */
	update(id: string, patch: JobPatch, attempt?: number): Promise<JobResource | null>;
	/** Moves a job to status `to` if it is in one of `from` (and, where given, in `attempt`); null where it is not, or is unknown. */
	transition(id: string, from: readonly JobStatus[], to: JobStatus, patch?: JobPatch, attempt?: number): Promise<JobResource | null>;
	/**
	 * Cancels a queued job at once. For a running one `cancel_requested` is set until it has ended, and the worker that holds it gets a message.
	 * Throws ProblemError `not_found`, or `job_not_cancellable` where it has ended.
	 */
	requestCancel(id: string): Promise<JobResource>;
	/**
	 * Pauses a queued job at once. For a running one `pause_requested` is set until it is paused, and the worker that holds it gets a message. Nothing changes
	 * where it is paused, or asked to be. Throws ProblemError `not_found`, or `conflict` where it has ended or is being cancelled.
	 */
	requestPause(id: string): Promise<JobResource>;
	/**
	 * Queues a paused job again, and takes back what asks a running one to pause. A cancelled job is queued again too. Nothing changes where a job is queued, or
	 * runs. Throws ProblemError `not_found`, or `conflict` where it has succeeded or failed, or is being cancelled.
	 */
	requestResume(id: string): Promise<JobResource>;
	/** Takes back a job that nobody was told of. Nothing happens where there is none. */
	discard(id: string): Promise<void>;
	/**
	 * Removes a job that has ended with everything that it made. Where a process is killed meanwhile, the job is still whole, or has vanished.
	 * Throws ProblemError `not_found`, `job_not_ended`, or `job_in_use` where a job that has not ended begins with what it keeps.
	 */
	remove(id: string): Promise<void>;
	/** How many jobs that have not ended use a dataset, an uploaded model or what another job keeps. */
	countUsing(id: string): Promise<number>;
	/** How many jobs of a project, or of all unless given, have each status. */
	counts(project?: string): Promise<Record<JobStatus, number>>;
	/** Of the jobs that wait for a worker, the one that was posted first; null where none waits. */
	oldestQueued(): Promise<JobResource | null>;
	/**
	 * Adds to Redis the jobs that only the store knows, and queues again those whose worker is gone; returns how many it queued.
	 * `alone`: no worker can be alive, so jobs that were running are queued again at once, and not only when their locks have run out.
	 */
	rebuild(options?: { alone?: boolean }): Promise<number>;
};

/** The events of jobs. Their ids grow. A change of a job's status writes its status event itself. */
export type Events = {
	/** Adds an event; null where the job has ended or is unknown, for a job has no events after its end. */
	append(id: string, body: JobEventBody): Promise<JobEvent | null>;
	/** At most `limit` events (100 unless given) after the event `after`, oldest first. The oldest events of a long job may be gone. */
	read(id: string, page?: { after?: string; limit?: number }): Promise<JobEvent[]>;
	/** The events after the event `after`, then new ones as they come, until that of a final status or until `signal` is aborted. */
	follow(id: string, after: string | undefined, signal: AbortSignal): AsyncIterable<JobEvent>;
};

/** A change, and the cursor after which the next one is. */
export type ChangeAt = { cursor: string; change: JobListChange };

/** What changes the lists of jobs. */
export type Changes = {
	/**
	 * Resolves with the changes of the jobs of a project after `after`, the cursor of the last one that was seen: every job that has changed since then once, as it
	 * is now, then live. Several changes of a job within a quarter of a second are one. It begins with `reset` where no cursor is given, or one that is not known
	 * any more, and says `reset` again where Redis was emptied meanwhile: the list is then to be loaded, and what follows changes it. It has no end but by `signal`.
	 */
	follow(project: string, after: string | undefined, signal: AbortSignal): Promise<AsyncIterable<ChangeAt>>;
};

/** What those have that run jobs now, those that have the same together, with how many jobs they run at the same time; and what workers of the last day had. */
export type WorkerAbilities = { living: { abilities: Abilities; workers: number; slots: number }[]; seen: Abilities[] };

/** Jobs with the same needs: how many wait and run, and when the one that waits longest was posted, in unix seconds; null where none waits. */
export type Demand = { needs: Needs; queued: number; running: number; oldest: number | null };

/** The list of living workers. */
export type Workers = {
	/** Puts a worker on the list until `withdraw`, or until its process has been gone for 15 s. A second call replaces its entry. A function gives it anew at every sign of life. */
	announce(worker: WorkerStatus | (() => WorkerStatus)): Promise<void>;
	withdraw(id: string): Promise<void>;
	list(): Promise<WorkerStatus[]>;
	/** What the jobs that wait and run need of their workers, those with the same needs together. */
	demand(): Promise<Demand[]>;
	/** What workers have of all that jobs can need. */
	abilities(): Promise<WorkerAbilities>;
};

/** What was measured and counted of the training of all jobs and of their notices, by all processes, until Redis is emptied. */
export type Tallies = {
	add(tally: Tally): Promise<void>;
	read(): Promise<Tally>;
};

/** Why an attempt should stop: the user cancels or pauses the job, it has run as long as it may, the worker is to end, or the job was given to another worker. */
export type StopReason = 'cancelled' | 'paused' | 'time_limit' | 'shutdown' | 'lost';

/** The `reason` of an attempt's signal. */
export class AttemptStopped extends Error {
	override readonly name = 'AttemptStopped';
	readonly code: StopReason;

	constructor(code: StopReason) {
		super(
			{
				cancelled: 'the job was cancelled',
				paused: 'the job was paused',
				time_limit: 'the job has run as long as it may',
				shutdown: 'the worker is to end',
				lost: 'the job was given to another worker',
			}[code],
		);
		this.code = code;
	}
}

/** An attempt wanted to end a job that has ended already, or that another attempt has taken. */
export class StaleAttemptError extends Error {
	override readonly name = 'StaleAttemptError';
	readonly code = 'stale_attempt';

	constructor(id: string, attempt: number, found: string) {
		super(`attempt ${attempt} of ${id} cannot commit: ${found}`);
	}
}

/** What a job that succeeded has produced. Its artifacts lie in the folder of the attempt that made them. */
export type Outcome = { result: JobResult; artifacts: Artifact[] };

/**
 * How an attempt ended. `stopped`: because its signal was aborted; the job is cancelled or paused where that was asked, and else queued again.
 * `retry`: it failed in a way in which another attempt may not fail. The job is queued again, until it has failed so too often without coming further; it then
 * fails with `error`. `patch` changes the record in the same step.
 */
export type AttemptEnd =
	| ({ status: 'succeeded' } & Outcome)
	| { status: 'failed'; error: JobError }
	| { status: 'stopped' }
	| { status: 'retry'; error: JobError; patch?: JobPatch };

export type Attempt = {
	/** Its number, counted from 1. */
	attempt: number;
	/** The record of the job when the attempt began. */
	job: JobResource;
	/** Aborted with an AttemptStopped. */
	signal: AbortSignal;
};

export type WorkOptions = {
	/** How many jobs are run at the same time; 1 unless given. */
	concurrency?: number;
	/** What whoever runs them has of all that jobs can need; nothing unless given, so that it gets only jobs that any worker can run. */
	abilities?: Abilities;
	/**
	 * Runs one attempt. An error that it throws fails the job: a ProblemError with its code, any other with the code `internal`. With `unavailable` or `insufficient_storage`,
	 * which may pass, the attempt ends as `retry`.
	 */
	process(id: string, attempt: Attempt): Promise<AttemptEnd>;
	/**
	 * Called with every job that has ended, at least once: by the worker that ended it, or by another where that one is gone, and once more after an error.
	 * Where Redis is new, it is called with all of them again.
	 */
	ended?(job: JobResource): Promise<void> | void;
	/**
	 * The seconds for which a job may run in all its attempts, any number unless given; the `max_seconds` of its spec counts where it is smaller. An attempt is then
	 * stopped, and the job fails as `time_limit`.
	 */
	maxSeconds?: number;
	log?: Log;
	/** After how many milliseconds without a sign of life a worker's job is given to another; 15,000 unless given. */
	lockMs?: number;
	/**
	 * How many times in a row a job is run again whose worker was lost, or whose attempt ended as `retry`, without having come further, before it fails; 3 unless
	 * given.
	 */
	retries?: number;
	/** Milliseconds before the second of these, 1,000 unless given; the first begins at once, and each further wait is four times as long. */
	retryMs?: number;
	/** Milliseconds between two reads of the records of the running jobs, in case a message about one was lost; 2,000 unless given. */
	checkMs?: number;
};

export type Work = {
	/** Takes no more work, stops what is running (with the reason `shutdown`), waits for it at most `graceMs` milliseconds, and closes its connections. */
	close(graceMs: number): Promise<void>;
};

export type InspectionOptions = {
	/**
	 * Inspects one model. An error that it throws is no verdict: the model is inspected again, and refused after three attempts that ended in an error or
	 * with the loss of their worker. When `signal` is aborted it throws, and that attempt does not count.
	 */
	process(id: string, signal: AbortSignal): Promise<ModelVerdict>;
	log?: Log;
	/** After how many milliseconds without a sign of life a worker's model is given to another; 15,000 unless given. */
	lockMs?: number;
};

/** The inspection of uploaded models. A model in the store without a verdict is to be inspected; its verdict is written once, to the store. */
export type Inspections = {
	/** Hands a model to the workers. Nothing happens where they have it already. */
	enqueue(id: string): Promise<void>;
	/** Takes a model out of the queue, if no worker has it. */
	withdraw(id: string): Promise<void>;
	/** What the inspection of a model came to; null while it has none. */
	verdict(id: string): Promise<ModelVerdict | null>;
	/** Queues every model of the store that neither has a verdict nor waits; returns how many it queued. `alone` as in `Jobs.rebuild`. */
	rebuild(options?: { alone?: boolean }): Promise<number>;
	/** Inspects models as they come, one at a time. A model may be delivered more than once. */
	work(options: InspectionOptions): Work;
};

/** What is told to whoever waits for the end of a job. */
export type Notice = {
	/** The same in every attempt, so that it can be told from others. */
	id: string;
	url: string;
	/** What signs it: `whsec_` and base64. */
	secret: string;
	/** The job that has ended. */
	job: JobResource;
};

export type NoticeOptions = {
	/** Sends a notice once. What it throws says why it has not arrived; it is then sent again. */
	send(notice: Notice): Promise<void>;
	log?: Log;
	/** After how many milliseconds without a sign of life a notice is given to another process; 15,000 unless given. */
	lockMs?: number;
	/** Milliseconds before each further attempt; nine growing pauses, of 22.7 hours in all, unless given. After the last attempt the notice is given up. */
	pauses?: readonly number[];
};

/**
 * The notices of the ends of jobs, for those whose spec or project names an address. Whoever runs jobs hands them over, in the step that is done again until it is done; what of a
 * notice is done stands in the record of its job. A notice is sent at least once.
 */
export type Notices = {
	/** Sends notices as they come. How each try ended is tallied. */
	work(options: NoticeOptions): Work;
	/** How many notices are still to be delivered, those among them that are tried again later. */
	waiting(): Promise<number>;
};

/** What the model of a job is to be run over. */
export type PredictionOrder = {
	job: string;
	/** The attempt that has made the model. */
	attempt: number;
	/** What the body is: a `PredictionRequest` as JSON, or a csv file. */
	type: 'json' | 'csv';
	body: Buffer;
};

/** Predictions by workers, as questions and answers of which nothing is kept. */
export type Predictions = {
	/** Has one of the workers predict, of the same job always the same while it lives, and resolves with `Predictions` as JSON. Throws ProblemError: what the worker refused, or `unavailable` where none answers. */
	ask(order: PredictionOrder): Promise<Buffer>;
	/** Answers what a worker is asked. A ProblemError that `answer` throws is what whoever asked gets. */
	work(worker: string, answer: (order: PredictionOrder) => Promise<string>): Promise<Work>;
};

/**
 * The sweeps of an installation. What a sweep tries next is a function of what came of its trials before, and every decision is written once: so any process may take a
 * sweep further, as often as it likes, and it ends the same however often processes are killed. Trials are ordinary jobs.
 */
export type Sweeps = {
	/** The specs of the jobs that a sweep would begin with. Throws ProblemError where one of them makes no job. */
	check(spec: SweepSpec): JobSpec[];
	/** Keeps a new sweep and starts its first trials. */
	create(project: string, spec: SweepSpec): Promise<SweepResource>;
	get(id: string): Promise<SweepResource | null>;
	/** Whether there is a sweep that has not ended, which may still train any of its trials further. */
	isOpen(id: string): Promise<boolean>;
	/**
	 * Has a sweep start no more trials, or go on, or end with its jobs cancelled. Throws ProblemError `not_found`, and `conflict` where it has ended or is being
	 * cancelled.
	 */
	wish(id: string, status: 'running' | 'paused' | 'cancelled'): Promise<SweepResource>;
	/** Removes a sweep that has ended; its jobs stay. Throws ProblemError `not_found`, or `conflict` where it has not ended. */
	remove(id: string): Promise<void>;
	/** Notes what came of the jobs of a sweep and makes those that follow. Nothing happens where there is none, or it has ended. */
	advance(id: string): Promise<void>;
	/** The same for all sweeps. */
	advanceAll(): Promise<void>;
};

/** The queue of an installation. Every method that needs Redis rejects with ProblemError `unavailable` where Redis is away for about 8 s. */
export type Queue = {
	jobs: Jobs;
	events: Events;
	changes: Changes;
	workers: Workers;
	tally: Tallies;
	inspections: Inspections;
	predictions: Predictions;
	notices: Notices;
	sweeps: Sweeps;
	/**
	 * Has a queued job handed to the workers when its turn comes: the projects take turns, the one with the fewest jobs running first, and of a project the
	 * job with the highest priority begins first, of several the one that was posted first. Until a worker that has what the job needs is free it waits, and others pass it by.
	 */
	enqueue(id: string): Promise<void>;
	/** Runs jobs as they come. A job whose worker is gone is given to another; a job that has ended is not run again. */
	work(options: WorkOptions): Work;
	/**
	 * Begins the next attempt of a job; null where it has ended, is paused, is to be cancelled or paused, or is unknown, and where as many jobs of its project
	 * run as may; with `queue` also where another queue of BullMQ than this one may deliver it. A job that was running has lost its
	 * worker; it fails where that has happened more than `retries` times (3 unless given) without it having come further.
	 */
	claim(id: string, options?: { retries?: number; queue?: string }): Promise<JobResource | null>;
	/**
	 * Ends a job with its result, by an exclusive create of the result's key in the store, so that only one attempt ever does. A job whose cancellation was
	 * asked for before is cancelled instead. Throws StaleAttemptError in every other attempt.
	 */
	commit(id: string, attempt: number, outcome: Outcome): Promise<JobResource>;
	/**
	 * Ends an attempt that does not end its job, which is cancelled or paused where that was asked, and else queued again. With `error` the attempt failed: a job
	 * that has done so more than `retries` times (3 unless given) without coming further fails; with `retries` null it fails at once. `patch`: other
	 * changes of the record. `seconds`: how long the attempt ran, which is added to the `ran_seconds` of the job. Null where the job is no longer in that attempt.
	 */
	release(
		id: string,
		attempt: number,
		options?: { error?: JobError; retries?: number | null; patch?: JobPatch; seconds?: number },
	): Promise<JobResource | null>;
	/** What Redis is, and whether it can be used. Never rejects. */
	health(): Promise<Readiness['redis']>;
	/** Closes the connections to Redis, within 5 s. Close the `work` first. */
	close(): Promise<void>;
};
