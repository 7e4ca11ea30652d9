import type {
	DatasetResource,
	DatasetRows,
	FoundList,
	ListQuery,
	RowsQuery,
	TableManifest,
	TablePreview,
	UploadChange,
	UploadNaming,
	UploadsQuery,
} from '@steelyard/contracts';
import { type Connection, jsonOf } from './connection.js';
import type { OnProgress, UploadSource } from './upload.js';

/** Which page of a list: at most `limit` resources that follow after the id `after`. */
export type Page = Partial<ListQuery>;

/** Which page of which datasets or models: those whose names have a part, that have metadata, or were made in a time. All that is given must hold. */
export type UploadsPage = Partial<UploadsQuery>;

/** What is said of a file as it is uploaded, its name and its metadata, and how the upload is watched and ended. */
export type UploadOptions = UploadNaming & { signal?: AbortSignal; onProgress?: OnProgress };

/** What is said of a dataset as it is uploaded; of a table also its manifest, and the column to predict. */
export type DatasetUploadOptions = UploadOptions & { manifest?: TableManifest; label?: string };

/** Datasets of the service. */
export type Datasets = {
	/** Uploads a table or an archive, as the ending of `filename` says, and resolves once the service has validated it. */
	create(source: UploadSource, filename: string, options?: DatasetUploadOptions): Promise<DatasetResource>;
	/** Says how a table would be read, from its first rows. Nothing of it is kept. */
	preview(source: UploadSource, filename: string, options?: DatasetUploadOptions): Promise<TablePreview>;
	/** Gives a page of datasets, newest first. What follows is after its `next`. */
	list(page?: UploadsPage): Promise<FoundList<DatasetResource>>;
	get(id: string): Promise<DatasetResource>;
	/** Gives rows of a split as `jobs.predict` takes those of a job on the dataset: at most `limit` of `split` from `offset` on; unless given 20 of train from the first on. */
	rows(id: string, query?: Partial<RowsQuery>): Promise<DatasetRows>;
	/** Changes the name and the metadata. Entries of metadata that are not named stay; null removes one. */
	update(id: string, change: UploadChange): Promise<DatasetResource>;
	remove(id: string): Promise<void>;
};

export function datasets(connection: Connection): Datasets {
	const path = (id: string) => `/v1/datasets/${encodeURIComponent(id)}`;
	async function post<T>(
		url: string,
		body: UploadSource,
		filename: string,
		{ signal, onProgress, manifest, ...said }: DatasetUploadOptions = {},
	): Promise<T> {
		const query = { filename, ...said, ...(manifest === undefined ? {} : { manifest: JSON.stringify(manifest) }) };
		return jsonOf(
			await connection('POST', url, { body, query, headers: { 'content-type': 'application/octet-stream' }, signal, onProgress }),
		);
	}
	return {
		create: (body, filename, options) => post('/v1/datasets', body, filename, options),
		preview: (body, filename, options) => post('/v1/table-previews', body, filename, options),
		async list(page = {}) {
			return jsonOf(await connection('GET', '/v1/datasets', { query: page }));
		},
		async get(id) {
			return jsonOf(await connection('GET', path(id)));
		},
		async rows(id, query = {}) {
			return jsonOf(await connection('GET', `${path(id)}/rows`, { query }));
		},
		async update(id, change) {
			return jsonOf(await connection('PATCH', path(id), { json: change }));
		},
		async remove(id) {
			await connection('DELETE', path(id));
		},
	};
}
