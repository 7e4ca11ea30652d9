import { randomUUID } from 'node:crypto';
import { type Abilities, isFinal, type JobError, type JobResource, logFieldsOf, ProblemError } from '@steelyard/contracts';
import { silent } from '@steelyard/redis';
import { isFull, mayPass, whenPossible } from '@steelyard/store';
import type { RedisOptions } from 'ioredis';
import { consume } from './consume.js';
import type { Dispatch } from './dispatch.js';
import type { Hub } from './hub.js';
import type { Keys } from './keys.js';
import type { NoticeQueue } from './notices.js';
import { within } from './or-unavailable.js';
import type { Placements } from './placements.js';
import { type Member, type Pools, queueOf } from './pools.js';
import {
	type AttemptEnd,
	AttemptStopped,
	type Queue,
	StaleAttemptError,
	type StopReason,
	type Sweeps,
	type Work,
	type WorkOptions,
} from './queue.js';
import type { Records } from './records.js';
import { RETRIES, retryPause } from './status.js';
import { type Clock, startClock } from './time-limit.js';

/** What WorkOptions has unless given. */
const LOCK = 15_000;
const CHECK = 2000;

/** Milliseconds between two searches for jobs that run and that BullMQ does not know. */
const SWEEP = 30_000;

/** Milliseconds between two signs of life. */
const SIGN_OF_LIFE = 5000;
/** How long it may take to note that the work ends, in milliseconds. Without the note it is known after 15 s. */
const LONGEST_LEAVE = 1000;

/** What somebody has who can run what any worker can. */
const NOTHING: Abilities = { devices: [], memory: 0, labels: [] };

/** A job that is being run here. */
type Running = { id: string; attempt: number; controller: AbortController; clock: Clock };
type Parts = {
	redis: RedisOptions;
	keys: Keys;
	hub: Hub;
	records: Records;
	placements: Placements;
	pools: Pools;
	dispatch: Dispatch;
	sweep: () => Promise<number>;
	notices: Pick<NoticeQueue, 'handOver'>;
	sweeps: Pick<Sweeps, 'advance' | 'advanceAll'>;
	queue: Pick<Queue, 'jobs' | 'claim' | 'commit' | 'release'>;
};

const errorOf = (error: unknown): JobError =>
	error instanceof ProblemError
		? { code: error.code, message: error.message, param: error.param }
		: { code: 'internal', message: error instanceof Error ? error.message : String(error), param: null };

/** Runs jobs as they come; see WorkOptions. */
export function startWork(
	{ redis, keys, hub, records, placements, pools, dispatch, sweep, notices, sweeps, queue }: Parts,
	options: WorkOptions,
): Work {
	const { concurrency = 1, process, ended, log = silent, lockMs = LOCK, retries = RETRIES, retryMs, checkMs = CHECK } = options;
	const { maxSeconds = Number.POSITIVE_INFINITY, abilities = NOTHING } = options;
	const deliverer = queueOf(abilities);
	const own: Member = { id: randomUUID(), slots: concurrency, abilities };
	const { jobs } = queue;
	const running = new Set<Running>();

	const stop = ({ controller }: Pick<Running, 'controller'>, reason: StopReason) => controller.abort(new AttemptStopped(reason));

	/** Stops an attempt that should not go on, by what the job's record says: a message that says so can be lost. */
	async function check(one: Running): Promise<void> {
		const job = await jobs.get(one.id);
		if (job === null || isFinal(job.status) || job.attempt !== one.attempt || job.status !== 'running') stop(one, 'lost');
		else if (job.cancel_requested) stop(one, 'cancelled');
		else if (job.pause_requested) stop(one, 'paused');
	}
	const checkAll = async (id: string | null) => {
		for (const one of running) if ((id === null || one.id === id) && !one.controller.signal.aborted) await check(one);
	};
	const failedCheck = (error: unknown) => log.warn({ err: error }, 'the records of the jobs at hand could not be read');

	/** Records how an attempt ended; resolves with the job as it is then, or with null where it is no longer in that attempt. */
	async function record({ id, attempt, controller: { signal }, clock }: Running, end: AttemptEnd): Promise<JobResource | null> {
		const seconds = clock.seconds();
		const reason = signal.aborted ? (signal.reason as AttemptStopped).code : null;
		if (end.status === 'succeeded') {
			const { result, artifacts } = end;
			try {
				// What was trained is whole: it is not trained again because that cannot be noted yet.
				return await whenPossible(() => queue.commit(id, attempt, { result, artifacts }), {
					stopped: () => signal.aborted,
					waiting: (waiting) =>
						void jobs
							.update(id, { waiting }, attempt)
							.catch((error: unknown) => log.warn({ err: error, job: id }, 'what the job waits for could not be noted')),
				});
			} catch (error) {
				if (!isFull(error)) throw error;
				return queue.release(id, attempt, { seconds });
			}
		}
		if (reason === 'lost') return null;
		if (reason === 'cancelled') return queue.release(id, attempt, { seconds });
		// A cancellation that was answered before wins, also where it was not heard of here.
		const fail = (error: JobError) => queue.release(id, attempt, { error, retries: null, seconds });
		if (end.status === 'failed') return fail(end.error);
		if (reason === 'time_limit') return queue.release(id, attempt, { error: clock.over(), retries: null, seconds });
		if (end.status === 'retry') {
			const { error, patch = {} } = end;
			return queue.release(id, attempt, { error, retries, patch, seconds });
		}
		if (reason === null) return fail({ code: 'internal', message: 'the attempt stopped without being asked to', param: null });
		return queue.release(id, attempt, { seconds });
	}

	/** Does what the end of a job asks for, if it has ended and that was not done yet. */
	async function settle(id: string): Promise<void> {
		const found = await records.findTurn(id);
		if (found !== null && !isFinal(found.record.status)) return;
		if (found !== null) await notices.handOver(found.record);
		if (found !== null) await ended?.(found.record);
		if (found?.record.sweep !== undefined) await sweeps.advance(found.record.sweep.id);
		await records.settled(id, found?.turn ?? null);
	}
	const failedSettle = (id: string) => (error: unknown) =>
		log.warn({ err: error, job: id }, 'what the end of a job asks for could not be done; it is tried again');

	/** Hands over what may begin now. */
	const handOver = () =>
		void dispatch().catch((error: unknown) => {
			if (!consumer.closing) log.warn({ err: error }, 'the next job could not be handed over');
		});

	/** Runs one delivered job; resolves with the milliseconds after which it is to be delivered again, or with null. */
	async function deliver(id: string): Promise<number | null> {
		const job = await queue.claim(id, { retries, queue: deliverer });
		if (job === null) {
			await settle(id).catch(failedSettle(id));
			return null;
		}
		handOver();
		const { attempt } = job;
		const about = logFieldsOf(job);
		const controller = new AbortController();
		const one: Running = { id, attempt, controller, clock: startClock(job, maxSeconds, () => stop({ controller }, 'time_limit')) };
		running.add(one);
		const { signal } = controller;
		log.info(about, 'the attempt begins');
		let end: AttemptEnd;
		try {
			// A cancellation between the claim and now had nobody to hear its message.
			await check(one);
			if (consumer.closing) stop(one, 'shutdown');
			end = signal.aborted ? { status: 'stopped' } : await process(id, { attempt, job, signal });
		} catch (error) {
			end = signal.aborted ? { status: 'stopped' } : { status: mayPass(error) ? 'retry' : 'failed', error: errorOf(error) };
			if (!signal.aborted) log.error({ err: error, ...about }, 'the attempt failed');
		}
		try {
			const after = await record(one, end);
			log.info({ ...about, status: after?.status ?? 'lost' }, 'the attempt has ended');
			if (after?.status === 'queued') return end.status === 'retry' ? retryPause(after, retryMs) : 0;
		} catch (error) {
			if (!(error instanceof StaleAttemptError)) throw error;
			log.warn({ err: error, ...about }, 'the attempt came too late');
		} finally {
			one.clock.stop();
			running.delete(one);
			handOver();
		}
		// Also where another attempt has ended the job: this one may have written since.
		await settle(id).catch(failedSettle(id));
		return null;
	}

	const consumer = consume({
		redis,
		keys,
		name: 'training',
		queue: deliverer,
		concurrency,
		lockMs,
		deliver,
		// A worker is free, and a job that was resumed while its delivery still stood could not be handed over.
		left: (id) =>
			void placements.unplace(id, deliverer).then(handOver, (error: unknown) => {
				if (!consumer.closing) log.warn({ err: error, job: id }, 'it could not be noted that a job was delivered');
			}),
		log,
	});

	const checking = setInterval(() => {
		void checkAll(null).catch(failedCheck);
		// What was changed by a process that was killed before it could say so.
		if (!consumer.closing) handOver();
	}, checkMs);
	let settling = false;
	/** Settles the jobs whose worker died before it could, and those that ended without one. */
	async function settleAll(): Promise<void> {
		if (settling) return;
		settling = true;
		try {
			for (const id of await records.ended()) {
				if (consumer.closing) return;
				await settle(id).catch(failedSettle(id));
			}
		} finally {
			settling = false;
		}
	}

	const join = () =>
		consumer.closing
			? Promise.resolve()
			: pools.join(own).catch((error: unknown) => log.warn({ err: error }, 'no sign of life could be given'));
	const look = () =>
		join()
			.then(sweep)
			.then((queued) => {
				if (queued > 0) log.info({ queued }, 'jobs that no worker had were handed over');
				return settleAll();
			})
			.then(() => sweeps.advanceAll())
			.catch((error: unknown) => log.warn({ err: error }, 'the queue could not be looked through'));
	const listening = hub.listen('stop', (id) => {
		void checkAll(id).catch(failedCheck);
		// Redis was away, and may have come back without its data.
		if (id === null && !consumer.closing) void look();
	});
	listening.catch((error: unknown) => log.warn({ err: error }, 'messages about the jobs at hand cannot be heard'));
	void look();
	const sweeping = setInterval(look, SWEEP);
	const living = setInterval(join, SIGN_OF_LIFE);

	return {
		async close(graceMs) {
			if (consumer.closing) return;
			clearInterval(sweeping);
			clearInterval(living);
			const leaving = pools.leave(own);
			leaving.catch((error: unknown) => log.warn({ err: error }, 'the end of the work could not be noted'));
			const inTime = await consumer.close(graceMs, () => {
				for (const one of running) stop(one, 'shutdown');
			});
			if (!inTime) log.warn({ jobs: [...running].map(({ id }) => id) }, 'jobs did not stop in time; their locks run out');
			clearInterval(checking);
			await within(LONGEST_LEAVE, leaving).catch(() => {});
			listening.then(
				(leave) => leave(),
				() => {},
			);
		},
	};
}
