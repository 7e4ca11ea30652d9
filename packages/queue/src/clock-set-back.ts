import { Job, type Worker } from 'bullmq';
import type { Redis } from 'ioredis';

/** What BullMQ makes of a time in milliseconds, where ids are sorted by when they are due. */
const PER_MS = 4096;

export type Longest = {
	/** How long the lock of an id lasts that is worked on. */
	lockMs: number;
	/** How long BullMQ waits between two searches for lost workers. */
	searchMs: number;
	/** How far ahead a redelivery is put off at most. */
	delayMs: number;
};

/** Makes a key expire within `ms` milliseconds where it would last longer. */
async function shorten(redis: Redis, key: string, ms: number): Promise<void> {
	if ((await redis.pttl(key)) > ms) await redis.pexpire(key, ms);
}

/**
 * Ends what lasts too long because the clock of Redis or of a worker was set back after it began: the locks of lost workers, the pause before the next search for
 * these, and the delays of redeliveries. BullMQ keeps all of them as moments in time; an hour back would be an hour in which a job stands.
 */
export async function endWhatLastsTooLong(redis: Redis, worker: Worker, { lockMs, searchMs, delayMs }: Longest): Promise<void> {
	await shorten(redis, worker.toKey('stalled-check'), searchMs);
	for (const id of await redis.lrange(worker.toKey('active'), 0, -1)) await shorten(redis, `${worker.toKey(id)}:lock`, lockMs);
	for (const id of await redis.zrangebyscore(worker.toKey('delayed'), (Date.now() + delayMs) * PER_MS, '+inf'))
		await (await Job.fromId(worker, id))?.promote();
}
