import { setTimeout as delay } from 'node:timers/promises';
import type { RedisOptions } from 'ioredis';
import { onConnection } from './connection.js';
import { factsOf, type RedisFacts } from './facts.js';
import { addressOf } from './url.js';

/** What BullMQ needs: the commands of 6.2, and that no key is dropped to make room. */
const LEAST_VERSION = [6, 2] as const;
const POLICY = 'noeviction';

/** How long a Redis that is being started may take to answer, in milliseconds. */
const PATIENCE = 5000;

/** A Redis that the user named and that cannot be used. */
export class RedisUnsuitableError extends Error {
	override readonly name = 'RedisUnsuitableError';
	readonly code = 'redis_unsuitable';
}

/** Why a Redis cannot be used, and what to do about it; null where it can. */
export function objectionTo({ version, evictionPolicy }: RedisFacts): string | null {
	const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
	if (version !== null && (major < LEAST_VERSION[0] || (major === LEAST_VERSION[0] && minor < LEAST_VERSION[1]))) {
		return `it is version ${version}, and ${LEAST_VERSION.join('.')} or later is needed`;
	}
	if (evictionPolicy !== null && evictionPolicy !== POLICY) {
		return `its eviction policy is ${evictionPolicy}, under which jobs can vanish: set it by "CONFIG SET maxmemory-policy ${POLICY}", or in its configuration`;
	}
	return null;
}

/** What a user should know of a Redis that can be used; null where there is nothing. */
export const noteOn = ({ evictionPolicy }: RedisFacts, where: string): string | null =>
	evictionPolicy === null ? `The eviction policy of the Redis at ${where} is not known; it must be ${POLICY}, or jobs can vanish` : null;

/**
 * Waits until a Redis that runs already answers, for at most 5 s, and checks it. Resolves with what a user should know of it, or null.
 * Throws RedisUnsuitableError where it does not answer, is too old or may evict keys.
 */
export async function admitRedis(options: RedisOptions): Promise<string | null> {
	const where = addressOf(options);
	let facts: RedisFacts;
	for (const end = Date.now() + PATIENCE; ; await delay(200)) {
		try {
			facts = await onConnection(options, factsOf);
			break;
		} catch (error) {
			const { code, message } = error as NodeJS.ErrnoException;
			const mayCome = code === 'ECONNREFUSED' || code === 'ENOENT' || code === 'EAI_AGAIN' || message.startsWith('LOADING');
			if (!mayCome || Date.now() > end)
				throw new RedisUnsuitableError(`The Redis at ${where} cannot be used: ${message || code}`, { cause: error });
		}
	}
	const objection = objectionTo(facts);
	if (objection !== null) throw new RedisUnsuitableError(`The Redis at ${where} cannot be used: ${objection}`);
	return noteOn(facts, where);
}
