import type { List, ModelResource } from '@steelyard/contracts';
import { type Connection, jsonOf } from './connection.js';
import type { Page } from './datasets.js';
import { pause } from './pause.js';

export type Models = {
	/** Uploads a forward graph, one self-contained ONNX file; resolves before it is inspected. */
	create(source: Blob | ReadableStream<Uint8Array>, filename: string, options?: { signal?: AbortSignal }): Promise<ModelResource>;
	/** Newest first, without their reports. */
	list(page?: Page): Promise<List<ModelResource>>;
	get(id: string): Promise<ModelResource>;
	/** The model once it is inspected, `ready` or `refused`; looks every `delay` milliseconds, 500 unless given. Rejects with the signal's reason when that aborts. */
	inspected(id: string, options?: { delay?: number; signal?: AbortSignal }): Promise<ModelResource>;
	remove(id: string): Promise<void>;
};

const LOOK = 500;

export function models(connection: Connection): Models {
	const path = (id: string) => `/v1/models/${encodeURIComponent(id)}`;
	const get = async (id: string, signal?: AbortSignal): Promise<ModelResource> => jsonOf(await connection('GET', path(id), { signal }));
	return {
		async create(body, filename, { signal } = {}) {
			return jsonOf(
				await connection('POST', '/v1/models', {
					body,
					query: { filename },
					headers: { 'content-type': 'application/octet-stream' },
					signal,
				}),
			);
		},
		async list(page = {}) {
			return jsonOf(await connection('GET', '/v1/models', { query: page }));
		},
		get: (id) => get(id),
		async inspected(id, { delay = LOOK, signal } = {}) {
			for (;;) {
				const model = await get(id, signal);
				if (model.status !== 'inspecting') return model;
				await pause(delay, signal);
				signal?.throwIfAborted();
			}
		},
		async remove(id) {
			await connection('DELETE', path(id));
		},
	};
}
