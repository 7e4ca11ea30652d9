import type { Log } from '@steelyard/redis';
import { Queue as BullQueue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Keys } from './keys.js';

/** How many of BullMQ's own events are kept. Nobody reads them, and the Redis in JavaScript gets slower with the length of a stream. */
export const STREAM_LENGTH = 200;

/** The queues: what is to be done with the ids in them. */
export type DeliveryName = 'training' | 'inspection' | 'notice';

export type Deliveries = {
	/** Hands an id to the workers, at once or after `ms` milliseconds; resolves with false where they have it already. */
	add(id: string, ms?: number): Promise<boolean>;
	/** How many ids wait for a worker; those that are to be delivered later are not among them. */
	waiting(): Promise<number>;
	/** How many ids are in the queue at all, also those that a worker has or that are to be delivered later. */
	held(): Promise<number>;
	/** The first of the ids that BullMQ does not know; null where it knows all. */
	firstUnknown(ids: readonly string[]): Promise<string | null>;
	/** Takes an id out of the queue if no worker has it; with `held` also then, for a worker that is known to be dead. */
	withdraw(id: string, options?: { held?: boolean }): Promise<void>;
	close(): Promise<void>;
};

/** Opens a queue of ids for workers. This is all that BullMQ is used for: it keeps neither records nor results. */
export function openDeliveries(name: DeliveryName, redis: Redis, keys: Keys, log: Log): Deliveries {
	const queue = new BullQueue(name, {
		connection: redis,
		prefix: keys.deliveries,
		streams: { events: { maxLen: STREAM_LENGTH } },
		defaultJobOptions: { attempts: 1, removeOnComplete: true, removeOnFail: true },
	});
	queue.on('error', (error) => log.warn({ err: error }, 'the queue met an error'));

	return {
		async add(id, ms = 0) {
			if ((await queue.getJob(id)) !== undefined) return false;
			// BullMQ adds nothing where another process has added the id meanwhile.
			await queue.add(name, {}, { jobId: id, delay: ms });
			return true;
		},
		waiting: () => redis.llen(queue.toKey('wait')),
		async held() {
			const [wait, active, later] = await Promise.all([
				redis.llen(queue.toKey('wait')),
				redis.llen(queue.toKey('active')),
				redis.zcard(queue.toKey('delayed')),
			]);
			return wait + active + later;
		},
		async firstUnknown(ids) {
			const pipeline = redis.pipeline();
			for (const id of ids) pipeline.exists(queue.toKey(id));
			const found = (await pipeline.exec()) ?? [];
			return (
				ids.find((_, i) => {
					const [error, count] = found[i] ?? [null, 0];
					if (error !== null) throw error;
					return count === 0;
				}) ?? null
			);
		},
		async withdraw(id, { held = false } = {}) {
			if (held) await redis.del(`${queue.toKey(id)}:lock`);
			await queue.remove(id);
		},
		close: () => queue.close(),
	};
}
