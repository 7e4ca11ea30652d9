import { isFinal, type JobError, type JobResource, ProblemError } from '@steelyard/contracts';
import { silent } from '@steelyard/redis';
import type { RedisOptions } from 'ioredis';
import { consume } from './consume.js';
import type { Hub } from './hub.js';
import type { Keys } from './keys.js';
import { type AttemptEnd, AttemptStopped, type Queue, StaleAttemptError, type StopReason, type Work, type WorkOptions } from './queue.js';

/** What WorkOptions has unless given. */
const LOCK = 15_000;
const LOSSES = 3;
const CHECK = 2000;

/** Milliseconds between two searches for jobs that wait or run and that BullMQ does not know. */
const SWEEP = 30_000;

/** A job that is being run here. */
type Running = { id: string; attempt: number; controller: AbortController };
type Parts = { redis: RedisOptions; keys: Keys; hub: Hub; sweep: () => Promise<number>; queue: Pick<Queue, 'jobs' | 'claim' | 'commit'> };

const errorOf = (error: unknown): JobError =>
	error instanceof ProblemError
		? { code: error.code, message: error.message, param: error.param }
		: { code: 'internal', message: error instanceof Error ? error.message : String(error), param: null };

/** Runs jobs as they come; see WorkOptions. */
export function startWork({ redis, keys, hub, sweep, queue }: Parts, options: WorkOptions): Work {
	const { concurrency = 1, process, settled, log = silent, lockMs = LOCK, losses = LOSSES, checkMs = CHECK } = options;
	const { jobs } = queue;
	const running = new Set<Running>();

	const stop = ({ controller }: Running, reason: StopReason) => controller.abort(new AttemptStopped(reason));

	/** Stops an attempt that should not go on, by what the job's record says: a message that says so can be lost. */
	async function check(one: Running): Promise<void> {
		const job = await jobs.get(one.id);
		if (job === null || isFinal(job.status) || job.attempt !== one.attempt || job.status !== 'running') stop(one, 'lost');
		else if (job.cancel_requested) stop(one, 'cancelled');
	}
	const checkAll = async (id: string | null) => {
		for (const one of running) if ((id === null || one.id === id) && !one.controller.signal.aborted) await check(one);
	};
	const failedCheck = (error: unknown) => log.warn({ err: error }, 'the records of the jobs at hand could not be read');

	/** Records how an attempt ended. `again`: the job goes back to the queue. */
	async function record(
		id: string,
		attempt: number,
		end: AttemptEnd,
		reason: StopReason | null,
	): Promise<{ job: JobResource | null; again: boolean }> {
		if (end.status === 'succeeded') {
			return { job: await queue.commit(id, attempt, { result: end.result, artifacts: end.artifacts }), again: false };
		}
		if (end.status === 'failed')
			return { job: await jobs.transition(id, ['running'], 'failed', { error: end.error }, attempt), again: false };
		if (reason === 'lost') return { job: null, again: false };
		if (reason === 'cancelled') return { job: await jobs.transition(id, ['running'], 'cancelled', {}, attempt), again: false };
		if (end.status === 'stopped' && reason === null) {
			const error = { code: 'internal', message: 'the attempt stopped without being asked to', param: null };
			return { job: await jobs.transition(id, ['running'], 'failed', { error }, attempt), again: false };
		}
		const job = await jobs.transition(id, ['running'], 'queued', {}, attempt);
		return { job, again: job !== null };
	}

	/** Runs one delivered job; resolves with true when it is to be delivered again. */
	async function deliver(id: string): Promise<boolean> {
		const job = await queue.claim(id);
		if (job === null) return false;
		const { attempt } = job;
		const one: Running = { id, attempt, controller: new AbortController() };
		running.add(one);
		const { signal } = one.controller;
		const stopReason = () => (signal.aborted ? (signal.reason as AttemptStopped).code : null);
		log.info({ job: id, attempt }, 'the attempt begins');
		let end: AttemptEnd;
		try {
			// A cancellation between the claim and now had nobody to hear its message.
			await check(one);
			if (consumer.closing) stop(one, 'shutdown');
			end = signal.aborted ? { status: 'stopped' } : await process(id, { attempt, job, signal });
		} catch (error) {
			end = signal.aborted ? { status: 'stopped' } : { status: 'failed', error: errorOf(error) };
			if (!signal.aborted) log.error({ err: error, job: id, attempt }, 'the attempt failed');
		} finally {
			running.delete(one);
		}
		try {
			const { job: after, again } = await record(id, attempt, end, stopReason());
			log.info({ job: id, attempt, status: after?.status ?? 'lost' }, 'the attempt has ended');
			if (after !== null) await settled?.(after, attempt);
			return again;
		} catch (error) {
			if (!(error instanceof StaleAttemptError)) throw error;
			log.warn({ err: error, job: id, attempt }, 'the attempt came too late');
			return false;
		}
	}

	const consumer = consume({
		redis,
		keys,
		name: 'training',
		concurrency,
		lockMs,
		losses,
		deliver,
		lost(id) {
			const error = { code: 'trainer_crashed', message: `the worker was lost ${losses + 1} times while it ran this job`, param: null };
			jobs
				.transition(id, ['queued', 'running'], 'failed', { error })
				.catch((cause: unknown) => log.error({ err: cause, job: id }, 'a failure could not be recorded'));
		},
		log,
	});

	const checking = setInterval(() => void checkAll(null).catch(failedCheck), checkMs);
	const look = () =>
		sweep().then(
			(queued) => queued > 0 && log.info({ queued }, 'jobs that no worker had were handed over'),
			(error: unknown) => log.warn({ err: error }, 'the queue could not be looked through'),
		);
	const listening = hub.listen('cancel', (id) => {
		void checkAll(id).catch(failedCheck);
		// Redis was away, and may have come back without its data.
		if (id === null && !consumer.closing) void look();
	});
	listening.catch((error: unknown) => log.warn({ err: error }, 'messages of cancellations cannot be heard'));
	void look();
	const sweeping = setInterval(look, SWEEP);

	return {
		async close(graceMs) {
			if (consumer.closing) return;
			clearInterval(sweeping);
			const inTime = await consumer.close(graceMs, () => {
				for (const one of running) stop(one, 'shutdown');
			});
			if (!inTime) log.warn({ jobs: [...running].map(({ id }) => id) }, 'jobs did not stop in time; their locks run out');
			clearInterval(checking);
			listening.then(
				(leave) => leave(),
				() => {},
			);
		},
	};
}
