import { FoundListOf, UploadChange, UploadNaming, uploadsQuery } from '@steelyard/contracts';
import { Type } from 'typebox';
import type { App } from '../fastify-app.js';
import { callerOf } from '../keys/caller.js';
import type { Models } from '../models/models.js';
import { addUpload, uploadScope } from '../resources/upload-request.js';
import { ref } from '../schemas/components.js';
import { IdParams } from '../schemas/id-params.js';
import { refusals } from '../schemas/refusals.js';

const RAW_TYPES = ['application/octet-stream'];

const UploadQuery = Type.Object(
	{
		filename: Type.Optional(
			Type.String({ minLength: 1, maxLength: 255, description: 'the name of the file in a raw body, which becomes that of the model' }),
		),
		...UploadNaming.properties,
	},
	{ additionalProperties: false },
);

/** The routes that upload, list, show, rename and delete models. */
export async function modelRoutes(app: App, { models }: { models: Models }): Promise<void> {
	app.route({
		method: 'GET',
		url: '/v1/models',
		schema: {
			operationId: 'listModels',
			summary: 'Uploaded models, newest first',
			description: 'Without their reports, which are large: ask for one model to see its report.',
			tags: ['models'],
			querystring: uploadsQuery('mdl'),
			response: { 200: FoundListOf(ref('Model'), { description: 'A page' }), ...refusals('invalid_request') },
		},
		handler: (request) => models.list(callerOf(request), request.query),
	});
	app.route({
		method: 'GET',
		url: '/v1/models/:id',
		schema: {
			operationId: 'getModel',
			summary: 'An uploaded model, with its report once it is inspected',
			tags: ['models'],
			params: IdParams,
			response: { 200: ref('Model'), ...refusals('not_found') },
		},
		handler: (request) => models.get(callerOf(request), request.params.id),
	});
	app.route({
		method: 'PATCH',
		url: '/v1/models/:id',
		schema: {
			operationId: 'updateModel',
			summary: 'Change the name and the metadata of an uploaded model',
			description: 'Entries of metadata that are not named stay as they are; with null one is removed.',
			tags: ['models'],
			params: IdParams,
			body: UploadChange,
			response: { 200: ref('Model'), ...refusals('invalid_request', 'not_found', 'insufficient_storage') },
		},
		handler: (request) => models.change(callerOf(request), request.params.id, request.body),
	});
	app.route({
		method: 'DELETE',
		url: '/v1/models/:id',
		schema: {
			operationId: 'deleteModel',
			summary: 'Delete an uploaded model',
			description:
				'Deletes its file and its report, for good. It is refused while a job that has not ended uses the model. Jobs that have ended keep their record, their events and their artifacts, but cannot be trained again: their spec, posted again, is refused as `model_not_found`.',
			tags: ['models'],
			params: IdParams,
			response: { 204: Type.Null({ description: 'Deleted' }), ...refusals('not_found', 'model_in_use') },
		},
		handler: async (request, reply) => {
			await models.remove(callerOf(request), request.params.id);
			reply.code(204);
			return null;
		},
	});
	await uploadScope(app, RAW_TYPES, (scope) => {
		scope.route({
			method: 'POST',
			url: '/v1/models',
			config: { upload: true },
			schema: {
				operationId: 'createModel',
				summary: 'Upload a forward graph',
				description:
					'One self-contained ONNX file, or a zip archive with one file that ends in `.onnx` and those in which it keeps its data, as the raw body or as the field `file` of a form. A worker inspects it: `status` goes from `inspecting` to `ready`, or to `refused` with the reason in `error`. Jobs train it as the family `custom`.',
				tags: ['models'],
				consumes: ['multipart/form-data', ...RAW_TYPES],
				querystring: UploadQuery,
				response: {
					202: ref('Model'),
					...refusals('invalid_request', 'too_large', 'unsupported_media_type', 'insufficient_storage', 'quota_exceeded', 'unavailable'),
				},
			},
			handler: async (request, reply) => {
				const model = await addUpload(request, { schema: UploadNaming, query: request.query, fallback: () => 'model.onnx' }, (send) =>
					models.add(callerOf(request), send),
				);
				reply.code(202).header('location', `/v1/models/${model.id}`);
				return model;
			},
		});
	});
}
