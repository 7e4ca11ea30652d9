import type { Readiness } from '@steelyard/contracts';
import { factsOf, objectionTo, type RedisKind } from '@steelyard/redis';
import type { Redis, RedisOptions } from 'ioredis';
import type { Keys } from './keys.js';
import { within } from './or-unavailable.js';

/** How long Redis may take to answer, in milliseconds. */
const LONGEST_ANSWER = 2000;

/** What this Redis is and whether it can be used, which takes that it can be written to. `trouble` gives what else the user should know, or null. Never rejects. */
export async function healthOf(redis: Redis, options: RedisOptions, keys: Keys, trouble: () => string | null): Promise<Readiness['redis']> {
	const look = async () => {
		await redis.set(keys.probe, '1', 'PX', 1000);
		return factsOf(redis);
	};
	try {
		const { version, evictionPolicy, inJavaScript } = await within(LONGEST_ANSWER, look());
		const objection = objectionTo({ version, evictionPolicy });
		const kind: RedisKind = options.path === undefined ? 'url' : inJavaScript ? 'javascript' : 'binary';
		const note =
			objection ?? trouble() ?? (inJavaScript ? 'kept in memory alone: the queue is rebuilt from the data folder after a restart' : null);
		return { ok: objection === null, version, eviction_policy: evictionPolicy, kind, note };
	} catch (error) {
		return {
			ok: false,
			version: null,
			eviction_policy: null,
			kind: options.path === undefined ? 'url' : 'embedded',
			note: (error as Error).message,
		};
	}
}
