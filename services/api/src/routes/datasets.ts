import { DatasetUpload, FoundListOf, ProblemError, RowsQuery, UploadChange, uploadsQuery } from '@steelyard/contracts';
import { type Static, Type } from 'typebox';
import type { Datasets } from '../datasets/datasets.js';
import type { App } from '../fastify-app.js';
import { callerOf } from '../keys/caller.js';
import { addUpload, uploadScope } from '../resources/upload-request.js';
import { ref } from '../schemas/components.js';
import { IdParams } from '../schemas/id-params.js';
import { refusals } from '../schemas/refusals.js';

const BYTES = 'application/octet-stream';
const ZIP_TYPES = ['application/zip', 'application/x-zip-compressed'];
/** The name of a raw body of a media type that says what it is. */
const NAMES: Readonly<Record<string, string>> = {
	...Object.fromEntries(ZIP_TYPES.map((type) => [type, 'dataset.zip'])),
	'text/csv': 'dataset.csv',
	'text/tab-separated-values': 'dataset.tsv',
	'application/x-ndjson': 'dataset.jsonl',
	'application/vnd.apache.parquet': 'dataset.parquet',
};
const RAW_TYPES = [...Object.keys(NAMES), BYTES];

const UploadQuery = Type.Object(
	{
		filename: Type.Optional(
			Type.String({ minLength: 1, maxLength: 255, description: 'the name of the file in a raw body, whose ending says what it is' }),
		),
		...DatasetUpload.properties,
	},
	{ additionalProperties: false },
);

const UPLOAD_REFUSALS = refusals(
	'invalid_request',
	'too_large',
	'unsupported_media_type',
	'invalid_dataset',
	'dataset_too_large',
	'insufficient_storage',
	'quota_exceeded',
);

type UploadRequest = { headers: { 'content-type'?: string | undefined }; query: Static<typeof UploadQuery> };

/** What is said of an upload, and what a raw body is called of which the query does not say that. */
const uploadOf = ({ headers, query }: UploadRequest) => ({
	schema: DatasetUpload,
	query,
	fallback(): string {
		const [type = ''] = (headers['content-type'] ?? '').split(';');
		const name = NAMES[type.trim().toLowerCase()];
		if (name !== undefined) return name;
		throw new ProblemError('invalid_request', `A body of type ${BYTES} needs ?filename=…, whose ending says what it is`, 'filename');
	},
});

/** The routes that upload, list, show, rename and delete datasets, and show their rows. */
export async function datasetRoutes(app: App, { datasets }: { datasets: Datasets }): Promise<void> {
	app.route({
		method: 'GET',
		url: '/v1/datasets',
		schema: {
			operationId: 'listDatasets',
			summary: 'Datasets, newest first',
			description: 'Without manifests, classes, and what is known of values, which are large: ask for one dataset to see them.',
			tags: ['datasets'],
			querystring: uploadsQuery('ds'),
			response: { 200: FoundListOf(ref('Dataset'), { description: 'A page' }), ...refusals('invalid_request') },
		},
		handler: (request) => datasets.list(callerOf(request), request.query),
	});
	app.route({
		method: 'GET',
		url: '/v1/datasets/:id',
		schema: {
			operationId: 'getDataset',
			summary: 'A dataset',
			tags: ['datasets'],
			params: IdParams,
			response: { 200: ref('Dataset'), ...refusals('not_found') },
		},
		handler: (request) => datasets.get(callerOf(request), request.params.id),
	});
	app.route({
		method: 'GET',
		url: '/v1/datasets/:id/rows',
		schema: {
			operationId: 'listDatasetRows',
			summary: 'Rows of a split of a dataset',
			description:
				'As `POST /v1/jobs/{id}/predict` takes the rows of a job on the dataset: of a table its cells as they were uploaded, of arrays a list for each modality. Of a table the first rows of each split are kept, at most 1000 and 4 MiB.',
			tags: ['datasets'],
			params: IdParams,
			querystring: RowsQuery,
			response: { 200: ref('DatasetRows'), ...refusals('invalid_request', 'not_found') },
		},
		handler: (request) => datasets.rows(callerOf(request), request.params.id, request.query),
	});
	app.route({
		method: 'PATCH',
		url: '/v1/datasets/:id',
		schema: {
			operationId: 'updateDataset',
			summary: 'Change the name and the metadata of a dataset',
			description: 'Entries of metadata that are not named stay as they are; with null one is removed.',
			tags: ['datasets'],
			params: IdParams,
			body: UploadChange,
			response: { 200: ref('Dataset'), ...refusals('invalid_request', 'not_found', 'insufficient_storage') },
		},
		handler: (request) => datasets.change(callerOf(request), request.params.id, request.body),
	});
	app.route({
		method: 'DELETE',
		url: '/v1/datasets/:id',
		schema: {
			operationId: 'deleteDataset',
			summary: 'Delete a dataset',
			description:
				'Deletes its files and its record, for good. It is refused while a job that has not ended uses the dataset. Jobs that have ended keep their record, their events and their artifacts, but cannot be trained again: their spec, posted again, is refused as `dataset_not_found`.',
			tags: ['datasets'],
			params: IdParams,
			response: { 204: Type.Null({ description: 'Deleted' }), ...refusals('not_found', 'dataset_in_use') },
		},
		handler: async (request, reply) => {
			await datasets.remove(callerOf(request), request.params.id);
			reply.code(204);
			return null;
		},
	});

	await uploadScope(app, RAW_TYPES, (scope) => {
		scope.route({
			method: 'POST',
			url: '/v1/datasets',
			config: { upload: true },
			schema: {
				operationId: 'createDataset',
				summary: 'Upload and validate a dataset',
				description:
					'A table (.csv, .tsv, .txt, .jsonl or .ndjson, each also with .gz, or .parquet) or an archive of arrays or tables (.zip, .npz), as the raw body or as the field `file` of a form. What the columns of a table are is inferred, unless its manifest says it, and shown as `table`. A dataset whose manifest gives no name is called like the file, without its extension.',
				tags: ['datasets'],
				consumes: ['multipart/form-data', ...RAW_TYPES],
				querystring: UploadQuery,
				response: {
					201: ref('Dataset'),
					...UPLOAD_REFUSALS,
				},
			},
			handler: async (request, reply) => {
				const dataset = await addUpload(request, uploadOf(request), (send) => datasets.add(callerOf(request), send));
				reply.code(201).header('location', `/v1/datasets/${dataset.id}`);
				return dataset;
			},
		});
		scope.route({
			method: 'POST',
			url: '/v1/table-previews',
			config: { upload: true },
			schema: {
				operationId: 'previewTable',
				summary: 'Say how a table would be read',
				description:
					'What the columns of a table are, which modality each would go to, and what is predicted, by its first 10000 rows. It takes what the upload of a dataset takes, and keeps nothing.',
				tags: ['datasets'],
				consumes: ['multipart/form-data', ...RAW_TYPES],
				querystring: UploadQuery,
				response: {
					200: ref('TablePreview'),
					...UPLOAD_REFUSALS,
				},
			},
			handler: (request) => addUpload(request, uploadOf(request), (send) => datasets.preview(callerOf(request), send)),
		});
	});
}
