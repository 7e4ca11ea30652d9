import { setTimeout as delay } from 'node:timers/promises';
import { NewerRecordError } from '@steelyard/contracts';
import { connect, type Log } from '@steelyard/redis';
import { DelayedError, type Job, WaitingError, Worker } from 'bullmq';
import type { RedisOptions } from 'ioredis';
import { endWhatLastsTooLong } from './clock-set-back.js';
import type { DeliveryName } from './deliveries.js';
import type { Keys } from './keys.js';

/** Pause before an id goes back to the queue because its work could not be begun or recorded, in milliseconds. */
const PAUSE = 1000;
/** Pause before an id is offered again whose record a newer version of the service has written, in milliseconds. */
const NEWER = 5000;
/** How long BullMQ waits for the next id by one command, at most, in milliseconds; it looks after such a command itself. */
const LONGEST_WAIT = 10_000;
/** How far ahead an id is put off at most, in milliseconds. */
const LONGEST_DELAY = 60_000;
/** How long BullMQ may take to close, in milliseconds. */
const LONGEST_CLOSE = 2000;

/** What the ids of a queue name, as lines of the log say it. */
const SUBJECT: Readonly<Record<DeliveryName, string>> = { training: 'job', inspection: 'model', notice: 'job' };

export type ConsumerOptions = {
	redis: RedisOptions;
	keys: Keys;
	/** What its ids name, and the queue of BullMQ, which is called the same unless given. */
	name: DeliveryName;
	queue?: string;
	/** How many ids are worked on at the same time. */
	concurrency: number;
	/** After how many milliseconds without a sign of life a worker's id is given to another. */
	lockMs: number;
	/**
	 * Works on one delivered id; resolves with the milliseconds after which it is to be delivered again, or with null. An error is logged, and the id delivered
	 * again after a pause.
	 */
	deliver(id: string): Promise<number | null>;
	/** Called with an id that is not delivered again once BullMQ has let go of it. */
	left?(id: string): void;
	log: Log;
};

export type Consumer = {
	/** Whether it takes no more ids. */
	readonly closing: boolean;
	/**
	 * Takes no more ids, calls `stop` to end the work that is running, waits for it at most `graceMs` milliseconds, and closes. Resolves with false where
	 * the work did not end in time.
	 */
	close(graceMs: number, stop: () => void): Promise<boolean>;
};

/** Takes ids from BullMQ and has them worked on. An id may be delivered more than once. */
export function consume({ redis, keys, name, queue = name, concurrency, lockMs, deliver, left, log }: ConsumerOptions): Consumer {
	const subject = SUBJECT[name];
	const running = new Set<Promise<unknown>>();
	const searchMs = Math.max(lockMs / 2, 100);
	let closing = false;
	const connection = connect(redis, { maxRetriesPerRequest: null });
	// BullMQ waits on a copy of the connection, where Redis may rightly be silent for long.
	connection.duplicate = (own) => connect(redis, { maxRetriesPerRequest: null, socketTimeout: LONGEST_WAIT + 2000, ...own });
	connection.on('error', (error) => log.warn({ err: error }, `the connection of the worker for ${name} broke`));

	async function giveBack(delivery: Job, token: string | undefined, ms = 0): Promise<never> {
		if (ms > 0) {
			await delivery.moveToDelayed(Date.now() + Math.min(ms, LONGEST_DELAY), token);
			throw new DelayedError();
		}
		await delivery.moveToWait(token);
		throw new WaitingError();
	}

	const worker = new Worker(
		queue,
		async (delivery: Job, token?: string) => {
			const id = delivery.id as string;
			if (closing) return giveBack(delivery, token);
			const delivered = deliver(id);
			running.add(delivered);
			let again: number | null;
			try {
				again = await delivered.finally(() => running.delete(delivered));
			} catch (error) {
				if (error instanceof NewerRecordError) {
					// A process of that version takes it, or this one after it was replaced by such a one.
					log.warn({ err: error, [subject]: id }, `the ${name} is left to a newer version`);
					return giveBack(delivery, token, NEWER);
				}
				// Redis or the store could not be reached. The work has not failed, so its id is delivered again.
				log.error({ err: error, [subject]: id }, `the ${name} could not be begun or recorded`);
				await delay(PAUSE);
				again = 0;
			}
			if (again !== null) await giveBack(delivery, token, again);
			return null;
		},
		{
			connection,
			runRetryDelay: PAUSE,
			prefix: keys.deliveries,
			concurrency,
			lockDuration: lockMs,
			stalledInterval: searchMs,
			// Whoever works on an id counts how often its worker was lost: BullMQ does not know whether it came further meanwhile.
			maxStalledCount: Number.MAX_SAFE_INTEGER,
			removeOnComplete: { count: 0 },
			removeOnFail: { count: 0 },
		},
	);
	worker.on('error', (error) => log.warn({ err: error }, `the worker for ${name} met an error`));
	worker.on('stalled', (id) => log.warn({ [subject]: id }, `a worker was lost, its ${name} is given to another`));
	const looking = setInterval(() => {
		endWhatLastsTooLong(connection, worker, { lockMs, searchMs, delayMs: LONGEST_DELAY }).catch((error: unknown) =>
			log.warn({ err: error }, `it could not be seen what of the ${name} lasts too long`),
		);
	}, lockMs);
	worker.on('completed', ({ id }) => id !== undefined && left?.(id));

	return {
		get closing() {
			return closing;
		},
		async close(graceMs, stop) {
			if (closing) return true;
			closing = true;
			clearInterval(looking);
			const grace = new AbortController();
			const over = delay(graceMs, null, { signal: grace.signal }).catch(() => null);
			await worker.pause(true);
			stop();
			const done = (async () => {
				while (running.size > 0) await Promise.allSettled(running);
				return 'done' as const;
			})();
			const inTime = (await Promise.race([done, over])) === 'done';
			grace.abort();
			const gone = new AbortController();
			const late = delay(LONGEST_CLOSE, null, { signal: gone.signal }).catch(() => null);
			await Promise.race([worker.close(!inTime), late]);
			gone.abort();
			connection.disconnect();
			return inTime;
		},
	};
}
