import type { Log } from '@steelyard/redis';
import { Queue as BullQueue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Keys } from './keys.js';

/** BullMQ's own events, which nobody reads; the Redis in JavaScript walks a stream's whole length. */
export const STREAM_LENGTH = 200;

/** What ids are delivered for. */
export type DeliveryName = 'training' | 'inspection';

export type Deliveries = {
	/** Hands an id to the workers; false where they have it already. */
	add(id: string): Promise<boolean>;
	/** Takes an id back if no worker holds it; with `held` also then, for a worker that is dead. */
	withdraw(id: string, options?: { held?: boolean }): Promise<void>;
	close(): Promise<void>;
};

/** What BullMQ is used for: to bring ids to workers. It keeps neither records nor results. */
export function openDeliveries(name: DeliveryName, redis: Redis, keys: Keys, log: Log): Deliveries {
	const queue = new BullQueue(name, {
		connection: redis,
		prefix: keys.deliveries,
		streams: { events: { maxLen: STREAM_LENGTH } },
		defaultJobOptions: { attempts: 1, removeOnComplete: true, removeOnFail: true },
	});
	queue.on('error', (error) => log.warn({ err: error }, 'the queue met an error'));

	return {
		async add(id) {
			if ((await queue.getJob(id)) !== undefined) return false;
			// Where another was faster BullMQ adds nothing.
			await queue.add(name, {}, { jobId: id });
			return true;
		},
		async withdraw(id, { held = false } = {}) {
			if (held) await redis.del(`${queue.toKey(id)}:lock`);
			await queue.remove(id);
		},
		close: () => queue.close(),
	};
}
