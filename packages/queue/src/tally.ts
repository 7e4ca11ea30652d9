import type { Tally } from '@steelyard/contracts';
import type { Redis } from 'ioredis';
import type { Keys } from './keys.js';
import type { Tallies } from './queue.js';

/** Opens the tally of an installation. It begins anew where Redis is emptied, as counters of Prometheus may. */
export function openTally(redis: Redis, keys: Keys): Tallies {
	return {
		async add(tally) {
			const all = redis.multi();
			for (const [key, by] of Object.entries(tally)) all.hincrby(keys.tally, key, by);
			await all.exec();
		},
		async read() {
			const fields = await redis.hgetall(keys.tally);
			return Object.fromEntries(Object.entries(fields).map(([key, count]): [string, number] => [key, Number(count)])) satisfies Tally;
		},
	};
}
