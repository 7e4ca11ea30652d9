import { setTimeout as delay } from 'node:timers/promises';
import type { Redis, RedisOptions } from 'ioredis';
import { onConnection } from './connection.js';
import { factsOf, type RedisFacts } from './facts.js';
import { loginOf, refusalOf } from './refusal.js';
import { objectionOfSentinels } from './sentinels.js';
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
export function objectionTo({ version, evictionPolicy }: Pick<RedisFacts, 'version' | 'evictionPolicy'>): string | null {
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

/** A name of keys of which the part in braces alone says in which slot of a cluster they are. */
const hasHashTag = (prefix: string): boolean => /\{[^}]+\}/.test(prefix);

/** Why a node of a cluster cannot keep the keys that begin with a prefix, which must all be at this node; null where it can. Rejects where its cluster is down. */
async function objectionOfNode(redis: Redis, prefix: string): Promise<string | null> {
	if (!hasHashTag(prefix))
		return `it is a node of a Redis Cluster, in which all keys of an installation must be in one slot: set STEELYARD_PREFIX to a name in braces, such as {${prefix}}`;
	try {
		await redis.exists(`${prefix}:probe`);
		return null;
	} catch (error) {
		const [, slot, node] = /^MOVED (\d+) (\S+)/.exec((error as Error).message) ?? [];
		if (slot === undefined) throw error;
		return `it is a node of a Redis Cluster, and not the one with the keys of ${prefix}, which are in slot ${slot}, at ${node}: name that node`;
	}
}

/** Whether a start should wait for what this error says: a Redis that is just being started, a name that is not known yet, a master that fails over. */
function mayPass(error: unknown): boolean {
	const { code = '', message } = error as NodeJS.ErrnoException;
	return ['ECONNREFUSED', 'ENOENT', 'EAI_AGAIN'].includes(code) || /^(LOADING|MASTERDOWN|CLUSTERDOWN)/.test(message);
}

/** A Redis that cannot be used, for the reason given. */
class Unusable extends Error {
	readonly passes: boolean;
	constructor(reason: string, error: unknown) {
		super(reason, { cause: error });
		this.passes = error !== null && mayPass(error);
	}
}

/** Asks a Redis for its facts, of which a node of a cluster is one that the prefix must suit. Rejects with Unusable. */
async function ask(options: RedisOptions, prefix: string): Promise<RedisFacts> {
	if (options.sentinels) {
		const found = await objectionOfSentinels(options);
		if (found !== null) throw new Unusable(found.objection, found.error);
	}
	let objection: string | null = null;
	const facts = await onConnection(options, async (redis) => {
		const told = await factsOf(redis);
		if (told.inCluster) objection = await objectionOfNode(redis, prefix);
		return told;
	}).catch((error: unknown) => {
		throw new Unusable(refusalOf(error, loginOf(options)), error);
	});
	if (objection !== null) throw new Unusable(objection, null);
	return facts;
}

/**
 * Waits until a Redis that runs already answers, for at most 5 s, and checks it; `prefix` is what the keys begin with. Resolves with what a user should know of
 * it, or null. Throws RedisUnsuitableError, which says in one sentence what is wrong and what was expected, where it does not answer, lets nobody in by this
 * login or this certificate, is no master, is too old, may evict keys, or is a node of a cluster that does not have the keys.
 */
export async function admitRedis(options: RedisOptions, prefix = 'steelyard'): Promise<string | null> {
	const where = addressOf(options);
	let facts: RedisFacts;
	for (const end = Date.now() + PATIENCE; ; await delay(200)) {
		try {
			facts = await ask(options, prefix);
			break;
		} catch (error) {
			if (!(error instanceof Unusable)) throw error;
			if (!error.passes || Date.now() > end)
				throw new RedisUnsuitableError(`The Redis at ${where} cannot be used: ${error.message}`, { cause: error.cause });
		}
	}
	const objection = objectionTo(facts);
	if (objection !== null) throw new RedisUnsuitableError(`The Redis at ${where} cannot be used: ${objection}`);
	return noteOn(facts, where);
}
