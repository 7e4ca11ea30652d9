import { setTimeout as delay } from 'node:timers/promises';
import type { RedisOptions } from 'ioredis';
import { factsOf, once, type RedisFacts } from './redis-facts.js';

/** What BullMQ needs: commands of 6.2, and that no key is dropped to make room. */
const LEAST = [6, 2] as const;
const POLICY = 'noeviction';

/** How long a Redis that is being started may take to answer, in milliseconds. */
const PATIENCE = 5000;

/** A Redis that was named by the user and cannot be used. */
export class RedisUnsuitableError extends Error {
	override readonly name = 'RedisUnsuitableError';
	readonly code = 'redis_unsuitable';
}

/** The options for `redis://`, `rediss://` (TLS) or `unix:` with their user, password and database. Throws RedisUnsuitableError; never shows the password. */
export function optionsOf(url: string): RedisOptions {
	let parts: URL;
	try {
		parts = new URL(url);
	} catch {
		throw new RedisUnsuitableError(
			'REDIS_URL is not a URL: expected redis://[user:password@]host[:port][/database], rediss://… or unix:/path',
		);
	}
	const login = {
		...(parts.username === '' ? {} : { username: decodeURIComponent(parts.username) }),
		...(parts.password === '' ? {} : { password: decodeURIComponent(parts.password) }),
	};
	if (parts.protocol === 'unix:')
		return { path: decodeURIComponent(parts.pathname), ...login, db: Number(parts.searchParams.get('db') ?? 0) };
	if (parts.protocol !== 'redis:' && parts.protocol !== 'rediss:') {
		throw new RedisUnsuitableError(`REDIS_URL begins with ${parts.protocol}, expected redis:, rediss: or unix:`);
	}
	const database = parts.pathname.slice(1);
	if (!/^\d*$/.test(database))
		throw new RedisUnsuitableError(`REDIS_URL names the database ${JSON.stringify(database)}, expected a number`);
	return {
		host: parts.hostname.replace(/^\[|\]$/g, '') || '127.0.0.1',
		port: Number(parts.port || 6379),
		...login,
		db: Number(database),
		...(parts.protocol === 'rediss:' ? { tls: {} } : {}),
	};
}

/** What is amiss with a Redis, and what to do about it; null where it will do. */
export function objectionTo({ version, evictionPolicy }: RedisFacts): string | null {
	const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
	if (version !== null && (major < LEAST[0] || (major === LEAST[0] && minor < LEAST[1]))) {
		return `it is version ${version}, and ${LEAST.join('.')} or later is needed`;
	}
	if (evictionPolicy !== null && evictionPolicy !== POLICY) {
		return `its eviction policy is ${evictionPolicy}, under which jobs can vanish: set it by "CONFIG SET maxmemory-policy ${POLICY}", or in its configuration`;
	}
	return null;
}

/** What a user should know of a Redis that will do. */
export const noteOn = ({ evictionPolicy }: RedisFacts, where: string): string | null =>
	evictionPolicy === null ? `The eviction policy of the Redis at ${where} is not known; it must be ${POLICY}, or jobs can vanish` : null;

/** Checks a Redis that runs already; gives what should be told of it. Throws RedisUnsuitableError. */
export async function admitRedis(options: RedisOptions): Promise<string | null> {
	const where = options.path ?? `${options.host}:${options.port}`;
	let facts: RedisFacts;
	for (const end = Date.now() + PATIENCE; ; await delay(200)) {
		try {
			facts = await once(options, factsOf);
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
