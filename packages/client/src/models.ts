import type { FoundList, ModelResource, UploadChange } from '@steelyard/contracts';
import { type Connection, jsonOf } from './connection.js';
import type { UploadOptions, UploadsPage } from './datasets.js';
import { pause } from './pause.js';
import type { UploadSource } from './upload.js';

/** Uploaded models of the service. */
export type Models = {
	/** Uploads a forward graph: one self-contained ONNX file, or a zip archive with one and the files of its data. Resolves before the service has inspected it. */
	create(source: UploadSource, filename: string, options?: UploadOptions): Promise<ModelResource>;
	/** Gives a page of models without their reports, newest first. What follows is after its `next`. */
	list(page?: UploadsPage): Promise<FoundList<ModelResource>>;
	get(id: string): Promise<ModelResource>;
	/** Resolves with the model once it is `ready` or `refused`. Asks every `delay` milliseconds, 500 unless given. Rejects with the reason of the signal once that is aborted. */
	inspected(id: string, options?: { delay?: number; signal?: AbortSignal }): Promise<ModelResource>;
	/** Changes the name and the metadata. Entries of metadata that are not named stay; null removes one. */
	update(id: string, change: UploadChange): Promise<ModelResource>;
	remove(id: string): Promise<void>;
};

/** Milliseconds between two questions about a model that is being inspected. */
const INSPECTION_DELAY = 500;

export function models(connection: Connection): Models {
	const path = (id: string) => `/v1/models/${encodeURIComponent(id)}`;
	const get = async (id: string, signal?: AbortSignal): Promise<ModelResource> => jsonOf(await connection('GET', path(id), { signal }));
	return {
		async create(body, filename, { signal, onProgress, ...naming } = {}) {
			return jsonOf(
				await connection('POST', '/v1/models', {
					body,
					query: { filename, ...naming },
					headers: { 'content-type': 'application/octet-stream' },
					signal,
					onProgress,
				}),
			);
		},
		async list(page = {}) {
			return jsonOf(await connection('GET', '/v1/models', { query: page }));
		},
		get: (id) => get(id),
		async inspected(id, { delay = INSPECTION_DELAY, signal } = {}) {
			for (;;) {
				const model = await get(id, signal);
				if (model.status !== 'inspecting') return model;
				await pause(delay, signal);
				signal?.throwIfAborted();
			}
		},
		async update(id, change) {
			return jsonOf(await connection('PATCH', path(id), { json: change }));
		},
		async remove(id) {
			await connection('DELETE', path(id));
		},
	};
}
