import type { DatasetResource, List, ListQuery } from '@steelyard/contracts';
import { type Connection, jsonOf } from './connection.js';

/** Which page of a list: at most `limit` resources that follow after the id `after`. */
export type Page = Partial<ListQuery>;

/** Datasets of the service. */
export type Datasets = {
	/** Uploads an archive and resolves once the service has validated it. `filename` ends in `.zip` or `.npz`. */
	create(source: Blob | ReadableStream<Uint8Array>, filename: string, options?: { signal?: AbortSignal }): Promise<DatasetResource>;
	/** Gives a page of datasets, newest first. */
	list(page?: Page): Promise<List<DatasetResource>>;
	get(id: string): Promise<DatasetResource>;
	remove(id: string): Promise<void>;
};

export function datasets(connection: Connection): Datasets {
	const path = (id: string) => `/v1/datasets/${encodeURIComponent(id)}`;
	return {
		async create(body, filename, { signal } = {}) {
			return jsonOf(
				await connection('POST', '/v1/datasets', {
					body,
					query: { filename },
					headers: { 'content-type': 'application/octet-stream' },
					signal,
				}),
			);
		},
		async list(page = {}) {
			return jsonOf(await connection('GET', '/v1/datasets', { query: page }));
		},
		async get(id) {
			return jsonOf(await connection('GET', path(id)));
		},
		async remove(id) {
			await connection('DELETE', path(id));
		},
	};
}
