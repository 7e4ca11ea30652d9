import { ProblemError } from '@steelyard/contracts';
import { digestOf, isSecret, partsOf, type SecretHash } from './token.js';

/** What is kept of a key and decides about its validity. */
export type Verifiable = SecretHash & { id: string; expires_at: number | null };

export type Verifier<K extends Verifiable> = {
	/**
	 * The key of a token; null where it is not valid. `attempt` is called before every refusal and before a secret is hashed, and ends the verification where it
	 * rejects. Throws ProblemError `too_many_requests` where too many secrets wait to be hashed.
	 */
	verify(token: string, attempt: () => Promise<void>): Promise<K | null>;
	/** Makes a key invalid for this process from now on. */
	forget(id: string): void;
};

/** For how many milliseconds it is not looked again whether a key is still there, which another process may have revoked. */
const FRESH = 4000;
/** For how many milliseconds a token is remembered that was not valid. */
const REFUSED = 10_000;
/** How many tokens are remembered. */
const MOST = 10_000;
/** How many secrets are hashed at once, each in 32 MiB, and how many may wait for that. */
const AT_ONCE = 2;
const WAITING = 16;

/** Runs actions, at most `AT_ONCE` at a time. Throws ProblemError where too many wait. */
function createTurns(): <T>(action: () => Promise<T>) => Promise<T> {
	const waiting: (() => void)[] = [];
	let running = 0;
	return async (action) => {
		if (running >= AT_ONCE) {
			if (waiting.length >= WAITING) throw new ProblemError('too_many_requests', 'Too many keys wait to be checked; try again in a second');
			await new Promise<void>((go) => waiting.push(go));
		} else running++;
		try {
			return await action();
		} finally {
			const next = waiting.shift();
			if (next === undefined) running--;
			else next();
		}
	};
}

/** Sets an entry of a map that keeps the last `MOST`. */
function remember<V>(map: Map<string, V>, name: string, value: V): void {
	map.delete(name);
	map.set(name, value);
	if (map.size > MOST) map.delete(map.keys().next().value as string);
}

/**
 * Makes the verifier of tokens, over `find`, which reads a key. A secret is hashed once; afterwards the token is known by its SHA-256, in memory alone. Whether
 * the key is still there is looked up again after some seconds, whether it has expired every time.
 */
export function createVerifier<K extends Verifiable>(find: (id: string) => Promise<K | null>, now: () => number = Date.now): Verifier<K> {
	const valid = new Map<string, { key: K; looked: number }>();
	const refused = new Map<string, number>();
	const underway = new Map<string, Promise<K | null>>();
	/** Ids do not come back. */
	const forgotten = new Set<string>();
	const turn = createTurns();

	const unlessEnded = (key: K): K | null =>
		forgotten.has(key.id) || (key.expires_at !== null && key.expires_at * 1000 <= now()) ? null : key;

	/** The key that a token was once found to be of, if that is still there. */
	async function again(name: string, known: { key: K; looked: number }): Promise<K | null> {
		const age = now() - known.looked;
		if (age >= 0 && age < FRESH) return known.key;
		const looked = now();
		const key = await find(known.key.id);
		if (key === null || key.hash !== known.key.hash) {
			valid.delete(name);
			return null;
		}
		remember(valid, name, { key, looked });
		return key;
	}

	async function hashed(name: string, { id, secret }: { id: string; secret: string }): Promise<K | null> {
		const looked = now();
		const key = await find(id);
		if (await turn(() => isSecret(secret, key))) {
			remember(valid, name, { key: key as K, looked });
			return key;
		}
		remember(refused, name, now());
		return null;
	}

	async function found(token: string, attempt: () => Promise<void>): Promise<K | null> {
		const name = digestOf(token).toString('hex');
		const known = valid.get(name);
		if (known !== undefined) return again(name, known);
		const parts = partsOf(token);
		if (parts === null || now() - (refused.get(name) ?? Number.NEGATIVE_INFINITY) < REFUSED) {
			await attempt();
			return null;
		}
		const same = underway.get(name);
		if (same !== undefined) return same;
		await attempt();
		const mine = underway.get(name) ?? hashed(name, parts).finally(() => underway.delete(name));
		underway.set(name, mine);
		return mine;
	}

	return {
		async verify(token, attempt) {
			const key = await found(token, attempt);
			return key === null ? null : unlessEnded(key);
		},
		forget(id) {
			forgotten.add(id);
			for (const [name, { key }] of valid) if (key.id === id) valid.delete(name);
		},
	};
}
