import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '@steelyard/redis';
import { type ConnectionOptions, type Job, WaitingError, Worker } from 'bullmq';
import type { RedisOptions } from 'ioredis';
import type { DeliveryName } from './deliveries.js';
import type { Keys } from './keys.js';

/** Pause before an id is given back whose work could not be begun or recorded, in milliseconds. */
const PAUSE = 1000;
/** How long BullMQ may take to let go, in milliseconds. */
const LETTING_GO = 2000;

export type ConsumerOptions = {
	redis: RedisOptions;
	keys: Keys;
	name: DeliveryName;
	/** Ids at one time. */
	concurrency: number;
	/** After how many milliseconds without a sign of life a worker's id is given to another. */
	lockMs: number;
	/** How often an id whose worker was lost is delivered once more. */
	losses: number;
	/** Runs one delivery; true when it is to be delivered again. What it throws is logged, and the id delivered again after a pause. */
	deliver(id: string): Promise<boolean>;
	/** Called for an id whose workers were lost too often, which is not delivered again. */
	lost(id: string): void;
	log: Log;
};

export type Consumer = {
	/** Whether it takes no more ids. */
	readonly closing: boolean;
	/** Takes no more ids, has `stop` end the work at hand, waits for it at most `graceMs` milliseconds, and lets go; false where it did not end in time. */
	close(graceMs: number, stop: () => void): Promise<boolean>;
};

/** Takes ids from BullMQ, at least once each. */
export function consume({ redis, keys, name, concurrency, lockMs, losses, deliver, lost, log }: ConsumerOptions): Consumer {
	const atHand = new Set<Promise<unknown>>();
	let closing = false;

	async function giveBack(delivery: Job, token: string | undefined): Promise<never> {
		await delivery.moveToWait(token);
		throw new WaitingError();
	}

	const worker = new Worker(
		name,
		async (delivery: Job, token?: string) => {
			const id = delivery.id as string;
			if (closing) return giveBack(delivery, token);
			const delivered = deliver(id);
			atHand.add(delivered);
			let again: boolean;
			try {
				again = await delivered.finally(() => atHand.delete(delivered));
			} catch (error) {
				// Neither Redis nor the store could be reached: nothing has failed, it comes again.
				log.error({ err: error, id }, `the ${name} could not be begun or recorded`);
				await delay(PAUSE);
				again = true;
			}
			if (again) await giveBack(delivery, token);
			return null;
		},
		{
			// Its type differs from that of ioredis in properties that may be undefined.
			connection: { ...redis, maxRetriesPerRequest: null } as ConnectionOptions,
			prefix: keys.deliveries,
			concurrency,
			lockDuration: lockMs,
			stalledInterval: Math.max(lockMs / 2, 100),
			maxStalledCount: losses,
			removeOnComplete: { count: 0 },
			removeOnFail: { count: 0 },
		},
	);
	worker.on('error', (error) => log.warn({ err: error }, `the worker for ${name} met an error`));
	worker.on('stalled', (id) => log.warn({ id }, `a worker was lost, its ${name} is given to another`));
	// A failure of the work itself never gets here; what does is an id whose workers were lost too often.
	worker.on('failed', (delivery) => delivery?.id !== undefined && lost(delivery.id));

	return {
		get closing() {
			return closing;
		},
		async close(graceMs, stop) {
			if (closing) return true;
			closing = true;
			const grace = new AbortController();
			const over = delay(graceMs, null, { signal: grace.signal }).catch(() => null);
			await worker.pause(true);
			stop();
			const done = (async () => {
				while (atHand.size > 0) await Promise.allSettled(atHand);
				return 'done' as const;
			})();
			const inTime = (await Promise.race([done, over])) === 'done';
			grace.abort();
			const gone = new AbortController();
			const late = delay(LETTING_GO, null, { signal: gone.signal }).catch(() => null);
			await Promise.race([worker.close(!inTime), late]);
			gone.abort();
			return inTime;
		},
	};
}
