import type { Redis, RedisOptions } from 'ioredis';
import { connect } from './connection.js';

export type RedisFacts = {
	version: string | null;
	/** null where this connection may not know. */
	evictionPolicy: string | null;
	/** Whether it is the one in JavaScript, which keeps nothing on disk. */
	inJavaScript: boolean;
};

/** The lines of an INFO reply by name. */
function fieldsOf(info: string): Map<string, string> {
	return new Map(info.split(/\r?\n/).map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}

/** What a Redis says of itself. INFO is asked for the policy first: where a Redis is hosted, CONFIG is often denied. */
export async function factsOf(redis: Redis): Promise<RedisFacts> {
	const server = fieldsOf(await redis.info('server'));
	const memory = fieldsOf(await redis.info('memory'));
	let evictionPolicy = memory.get('maxmemory_policy') ?? null;
	if (evictionPolicy === null) {
		const answer: unknown = await redis.config('GET', 'maxmemory-policy').catch(() => null);
		const policy: unknown = Array.isArray(answer) ? answer[1] : null;
		evictionPolicy = typeof policy === 'string' ? policy : null;
	}
	return { version: server.get('redis_version') ?? null, evictionPolicy, inJavaScript: server.get('os') === 'mocked redis' };
}

/** Does something on a connection of its own, which is tried once; rejects with the reason that the system or the server gives. */
export async function once<T>(options: RedisOptions, use: (redis: Redis) => Promise<T>): Promise<T> {
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
