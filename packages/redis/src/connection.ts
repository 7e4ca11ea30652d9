import { Redis, type RedisOptions } from 'ioredis';
import { OnceASentinelConnector } from './sentinel-connector.js';

/** How often a command is sent again while Redis is away; with the pauses below that is about 8 s in all. */
const RETRIES = 20;
/** How long a connection may take to come about, in milliseconds. */
const LONGEST_CONNECT = 2000;
/** How long Redis may leave a command unanswered, in milliseconds, before its connection is taken for broken and made anew: one whose other end has gone without a word. */
const LONGEST_SILENCE = 4000;

/** A server that was a master and is a replica now takes no writes: the connection is made anew, to the master of then, and the command sent again. */
const toTheNewMaster = (error: Error): 2 | false => (error.message.startsWith('READONLY') ? 2 : false);

/** Opens a connection. It reconnects by itself, and a command that waits too long for Redis is rejected with an error for which `isRedisAway` is true. */
export function connect(options: RedisOptions, rest: RedisOptions = {}): Redis {
	// The mapping of replies is named because its absence is not in the constructor's type.
	return new Redis({
		maxRetriesPerRequest: RETRIES,
		connectTimeout: LONGEST_CONNECT,
		socketTimeout: LONGEST_SILENCE,
		retryStrategy: (times) => Math.min(times * 50, 500),
		...(options.sentinels
			? { Connector: OnceASentinelConnector, sentinelCommandTimeout: LONGEST_CONNECT, reconnectOnError: toTheNewMaster }
			: {}),
		...options,
		...rest,
		replyMapping: 'legacy',
	});
}

/**
 * Does something on a connection of its own that is tried once and never reconnects, and closes it. Rejects with the reason that the system or the
 * server gives, such as ECONNREFUSED, and not with that of the command that could not be sent.
 */
export async function onConnection<T>(options: RedisOptions, use: (redis: Redis) => Promise<T>): Promise<T> {
	const redis = connect(options, {
		lazyConnect: true,
		connectTimeout: 5000,
		commandTimeout: 5000,
		retryStrategy: null,
		maxRetriesPerRequest: 0,
		enableReadyCheck: false,
	});
	let reason: Error | null = null;
	redis.on('error', (error: Error) => {
		reason ??= error;
	});
	try {
		await redis.connect();
		return await use(redis);
	} catch (error) {
		throw reason ?? error;
	} finally {
		redis.disconnect();
	}
}

/** A Lua script as a function that takes the script's keys, then its arguments. */
export function script<T>(redis: Redis, name: string, lua: string, keys: number): (...args: (string | number)[]) => Promise<T> {
	redis.defineCommand(name, { lua, numberOfKeys: keys });
	return (...args) => (redis as unknown as Record<string, (...args: (string | number)[]) => Promise<T>>)[name]?.(...args) as Promise<T>;
}
