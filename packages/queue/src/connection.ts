import { Redis, type RedisOptions } from 'ioredis';

/** How long a command may wait for a Redis that is away: about 8 s in all. */
const RETRIES = 20;

/** A connection of our own; it comes back by itself, and a command that waits too long for it is rejected. */
export function connect(options: RedisOptions, rest: RedisOptions = {}): Redis {
	// The mapping of replies is named because its absence is not in the constructor's type.
	return new Redis({
		maxRetriesPerRequest: RETRIES,
		retryStrategy: (times) => Math.min(times * 50, 500),
		...options,
		...rest,
		replyMapping: 'legacy',
	});
}

/** A Lua script as a function: its keys, then its arguments. */
export function script<T>(redis: Redis, name: string, lua: string, keys: number): (...args: (string | number)[]) => Promise<T> {
	redis.defineCommand(name, { lua, numberOfKeys: keys });
	return (...args) => (redis as unknown as Record<string, (...args: (string | number)[]) => Promise<T>>)[name]?.(...args) as Promise<T>;
}
