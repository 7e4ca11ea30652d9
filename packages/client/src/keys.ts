import type { CallerResource, FoundList, KeyRequest, KeyResource, NewKey } from '@steelyard/contracts';
import { type Connection, jsonOf } from './connection.js';
import type { Page } from './datasets.js';

/** Keys of the service. All but `self` need one of the scope admin, or none where the service demands none. */
export type Keys = {
	/** Makes a key. Its token is in this answer alone. */
	create(request: KeyRequest): Promise<NewKey>;
	/** Gives a page of keys of all projects, newest first. */
	list(page?: Page): Promise<FoundList<KeyResource>>;
	/** Makes a key invalid. */
	revoke(id: string): Promise<void>;
	/** Says who asks: the key, its scope, and the project that requests work in. */
	self(): Promise<CallerResource>;
};

export function keys(connection: Connection): Keys {
	return {
		async create(request) {
			return jsonOf(await connection('POST', '/v1/keys', { json: request }));
		},
		async list(page = {}) {
			return jsonOf(await connection('GET', '/v1/keys', { query: page }));
		},
		async revoke(id) {
			await connection('DELETE', `/v1/keys/${encodeURIComponent(id)}`);
		},
		async self() {
			return jsonOf(await connection('GET', '/v1/caller'));
		},
	};
}
