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
	/** How many ids wait for a worker, and how many workers have; those that are to be delivered later are not among them. */
	load(): Promise<{ waiting: number; active: number }>;
	/** So many of the ids that wait for a worker, the last ones first. */
	lastOnes(count: number): Promise<string[]>;
	/** The ids that no worker has: those that wait, those that are to be delivered later, and those whose worker is lost. */
	abandoned(): Promise<string[]>;
	/** How many ids are in the queue at all, also those that a worker has or that are to be delivered later. */
	held(): Promise<number>;
	/** Takes an id out of the queue if no worker has it; with `held` also then, for a worker that is known to be dead. Resolves with false where a worker has it. */
	withdraw(id: string, options?: { held?: boolean }): Promise<boolean>;
	close(): Promise<void>;
};

/** The queues that bring jobs, each to the workers of one pool, by their names. */
export type JobDeliveries = { of(queue: string): Deliveries; close(): Promise<void> };

/** Opens those queues, each when it is first asked for. */
export function openJobDeliveries(redis: Redis, keys: Keys, log: Log): JobDeliveries {
	const opened = new Map<string, Deliveries>();
	return {
		of(queue) {
			const deliveries = opened.get(queue) ?? openDeliveries(queue, redis, keys, log);
			opened.set(queue, deliveries);
			return deliveries;
		},
		async close() {
			await Promise.all([...opened.values()].map((one) => one.close()));
		},
	};
}

/** Opens a queue of ids for workers. This is all that BullMQ is used for: it keeps neither records nor results. */
export function openDeliveries(name: string, redis: Redis, keys: Keys, log: Log): Deliveries {
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
		async load() {
			const [waiting, active] = await Promise.all([redis.llen(queue.toKey('wait')), redis.llen(queue.toKey('active'))]);
			return { waiting, active };
		},
		lastOnes: (count) => redis.lrange(queue.toKey('wait'), 0, count - 1),
		async abandoned() {
			const [wait, active, later] = await Promise.all([
				redis.lrange(queue.toKey('wait'), 0, -1),
				redis.lrange(queue.toKey('active'), 0, -1),
				redis.zrange(queue.toKey('delayed'), '0', '-1'),
			]);
			const locks = await Promise.all(active.map((id) => redis.exists(`${queue.toKey(id)}:lock`)));
			return [...wait, ...later, ...active.filter((_, i) => locks[i] === 0)];
		},
		async held() {
			const [wait, active, later] = await Promise.all([
				redis.llen(queue.toKey('wait')),
				redis.llen(queue.toKey('active')),
				redis.zcard(queue.toKey('delayed')),
			]);
			return wait + active + later;
		},
		async withdraw(id, { held = false } = {}) {
			if (held) await redis.del(`${queue.toKey(id)}:lock`);
			return (await queue.remove(id)) === 1;
		},
		close: () => queue.close(),
	};
}
