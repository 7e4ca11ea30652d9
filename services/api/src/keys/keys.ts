import {
	DEFAULT_PROJECT,
	type FoundList,
	isId,
	type KeyRequest,
	type KeyResource,
	type ListQuery,
	type NewKey,
	ProblemError,
} from '@steelyard/contracts';
import { createId, keyKeys, readRecord, type Store } from '@steelyard/store';
import { createExclusive } from '../resources/exclusive.js';
import { pageOf } from '../resources/page.js';
import { hashOf, newSecret, prefixOf, type SecretHash, tokenOf } from './token.js';
import { createVerifier, type Verifier } from './verifier.js';

/** What `key.json` holds. */
export type KeyRecord = Omit<KeyResource, 'last_used_at'> & SecretHash;

export type Keys = {
	/** Makes a key, whose token is in this answer alone. Throws ProblemError for a project that does not fit the scope. */
	create(request: KeyRequest): Promise<NewKey>;
	list(query: ListQuery): Promise<FoundList<KeyResource>>;
	/** Makes a key invalid: here at once, in other processes over the same data folder within five seconds. Throws ProblemError `not_found`. */
	revoke(id: string): Promise<void>;
	/** The key of a token; null where it is not valid, see `createVerifier`. */
	verify: Verifier<KeyRecord>['verify'];
	/** Whether a key that was valid still is: it was neither revoked nor has it expired. */
	isStillValid(id: string): Promise<boolean>;
	/** Notes that a key is used, at most once a minute. Waits for nothing. */
	use(id: string): void;
};

type Options = {
	store: Store;
	/** Called with an error where it could not be noted that a key was used. */
	onError(error: unknown): void;
	/** Unix milliseconds. */
	now?: () => number;
};

const MINUTE = 60_000;
const DAY = 24 * 60 * 60;

/** The project of a new key. Throws ProblemError. */
function projectFor({ scope, project }: KeyRequest): string | null {
	if (scope !== 'admin') return project ?? DEFAULT_PROJECT;
	if (project === undefined) return null;
	throw new ProblemError('invalid_request', 'A key of the scope admin is valid in every project: leave the project out', 'project');
}

/** The keys of a store. Each is a folder `keys/<id>/`, and is not valid any more once its `key.json` is removed. */
export function createKeys({ store, onError, now = Date.now }: Options): Keys {
	const find = (id: string): Promise<KeyRecord | null> => readRecord(store, keyKeys.record(id));
	const verifier = createVerifier(find, now);
	const noted = new Map<string, number>();
	/** A key that is revoked leaves no folder, also where it was just used. */
	const exclusive = createExclusive();

	async function shown(id: string): Promise<KeyResource | null> {
		const record = isId('key', id) ? await find(id) : null;
		if (record === null) return null;
		const { salt: _salt, hash: _hash, cost: _cost, ...key } = record;
		const used = await readRecord<{ at: number }>(store, keyKeys.used(id));
		return { ...key, last_used_at: used?.at ?? null };
	}

	async function note(id: string, at: number): Promise<void> {
		if ((await store.stat(keyKeys.record(id))) !== null) await store.put(keyKeys.used(id), JSON.stringify({ at }));
	}

	return {
		async create(request) {
			const project = projectFor(request);
			const id = createId('key');
			const secret = newSecret();
			const created_at = Math.floor(now() / 1000);
			const { expires_in_days: days } = request;
			const key: Omit<KeyResource, 'last_used_at'> = {
				id,
				object: 'key',
				name: request.name,
				project,
				scope: request.scope,
				prefix: prefixOf(id),
				created_at,
				expires_at: days === undefined ? null : created_at + Math.ceil(days * DAY),
			};
			const record: KeyRecord = { ...key, ...(await hashOf(secret)) };
			await store.put(keyKeys.record(id), JSON.stringify(record));
			return { ...key, last_used_at: null, token: tokenOf(id, secret) };
		},

		list: (query) => pageOf(store, 'key', query, shown),

		async revoke(id) {
			if ((await shown(id)) === null) throw new ProblemError('not_found', `There is no key ${id}`, 'id');
			await store.remove(keyKeys.record(id));
			verifier.forget(id);
			noted.delete(id);
			await exclusive(id, () => store.remove(keyKeys.folder(id)));
		},

		verify: verifier.verify,

		async isStillValid(id) {
			const key = await find(id);
			return key !== null && (key.expires_at === null || key.expires_at * 1000 > now());
		},

		use(id) {
			const at = now();
			if (at - (noted.get(id) ?? Number.NEGATIVE_INFINITY) < MINUTE) return;
			noted.set(id, at);
			exclusive(id, () => note(id, Math.floor(at / 1000))).catch(onError);
		},
	};
}
