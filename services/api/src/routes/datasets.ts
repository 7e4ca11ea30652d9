import { ListQuery, ProblemError } from '@steelyard/contracts';
import { Type } from 'typebox';
import type { App } from '../app.js';
import type { Datasets } from '../datasets/datasets.js';
import { addUpload, uploadScope } from '../resources/upload-request.js';
import { IdParams, ListOf, ref, refusals } from '../schemas/shared.js';

const Filename = Type.Object(
	{ filename: Type.Optional(Type.String({ minLength: 1, maxLength: 255, description: 'of a raw body; tells .zip from .npz' })) },
	{ additionalProperties: false },
);

export async function datasetRoutes(app: App, { datasets }: { datasets: Datasets }): Promise<void> {
	app.route({
		method: 'GET',
		url: '/v1/datasets',
		schema: {
			summary: 'Datasets, newest first',
			tags: ['datasets'],
			querystring: ListQuery,
			response: { 200: ListOf(ref('Dataset'), 'A page') },
		},
		handler: (request) => datasets.list(request.query),
	});
	app.route({
		method: 'GET',
		url: '/v1/datasets/:id',
		schema: { summary: 'A dataset', tags: ['datasets'], params: IdParams, response: { 200: ref('Dataset'), ...refusals('not_found') } },
		handler: (request) => datasets.get(request.params.id),
	});
	app.route({
		method: 'DELETE',
		url: '/v1/datasets/:id',
		schema: {
			summary: 'Delete a dataset',
			tags: ['datasets'],
			params: IdParams,
			response: { 204: Type.Null({ description: 'Deleted' }), ...refusals('not_found', 'dataset_in_use') },
		},
		handler: async (request, reply) => {
			await datasets.remove(request.params.id);
			return reply.code(204).send(null);
		},
	});

	await uploadScope(app, ['application/zip', 'application/x-zip-compressed', 'application/octet-stream'], (scope) => {
		scope.route({
			method: 'POST',
			url: '/v1/datasets',
			config: { upload: true },
			schema: {
				summary: 'Upload and validate a dataset',
				description: 'A .zip or .npz, as the raw body or as the field `file` of a form.',
				tags: ['datasets'],
				consumes: ['multipart/form-data', 'application/zip', 'application/octet-stream'],
				querystring: Filename,
				response: {
					201: ref('Dataset'),
					...refusals('invalid_request', 'too_large', 'unsupported_media_type', 'invalid_dataset', 'insufficient_storage'),
				},
			},
			handler: async (request, reply) => {
				const fallback = () => {
					if (!request.headers['content-type']?.startsWith('application/octet-stream')) return 'upload.zip';
					throw new ProblemError('invalid_request', 'Say ?filename=… ending in .zip or .npz', 'filename');
				};
				const dataset = await addUpload(request, { filename: request.query.filename, fallback }, datasets.add);
				return reply
					.code(201)
					.header('location', `/v1/datasets/${dataset.id}`)
					.send(dataset as never);
			},
		});
	});
}
