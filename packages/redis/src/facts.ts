import type { Redis } from 'ioredis';

/** What a Redis server says of itself. */
export type RedisFacts = {
	/** Such as `7.0.15`; null where it is not told. */
	version: string | null;
	/** The value of `maxmemory-policy`; null where this connection may not know it. */
	evictionPolicy: string | null;
	/** Whether it is `js-redis-server`, which keeps nothing on disk. */
	inJavaScript: boolean;
	/** Whether it is a node of a Redis Cluster. */
	inCluster: boolean;
};

/** The values of an INFO reply by name. */
function fieldsOf(info: string): Map<string, string> {
	return new Map(info.split(/\r?\n/).map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}

/** Asks a Redis for its facts. INFO is asked for the policy before CONFIG, which hosted Redis servers often deny. */
export async function factsOf(redis: Redis): Promise<RedisFacts> {
	const server = fieldsOf(await redis.info('server'));
	const memory = fieldsOf(await redis.info('memory'));
	let evictionPolicy = memory.get('maxmemory_policy') ?? null;
	if (evictionPolicy === null) {
		const answer: unknown = await redis.config('GET', 'maxmemory-policy').catch(() => null);
		const policy: unknown = Array.isArray(answer) ? answer[1] : null;
		evictionPolicy = typeof policy === 'string' ? policy : null;
	}
	return {
		version: server.get('redis_version') ?? null,
		evictionPolicy,
		inJavaScript: server.get('os') === 'mocked redis',
		inCluster: server.get('redis_mode') === 'cluster',
	};
}

/** What names this run of a Redis server: another after it was started again, or where another took its place. Empty for the one in JavaScript, which begins with nothing. */
export const runIdOf = async (redis: Redis): Promise<string> => fieldsOf(await redis.info('server')).get('run_id') ?? '';
