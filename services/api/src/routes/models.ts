import { ListQuery } from '@steelyard/contracts';
import { Type } from 'typebox';
import type { App } from '../app.js';
import type { Models } from '../models/models.js';
import { addUpload, uploadScope } from '../resources/upload-request.js';
import { IdParams, ListOf, ref, refusals } from '../schemas/shared.js';

const Filename = Type.Object(
	{ filename: Type.Optional(Type.String({ minLength: 1, maxLength: 255, description: 'of a raw body; what the model is called' })) },
	{ additionalProperties: false },
);

export async function modelRoutes(app: App, { models }: { models: Models }): Promise<void> {
	app.route({
		method: 'GET',
		url: '/v1/models',
		schema: {
			summary: 'Uploaded models, newest first',
			description: 'Without their reports: those are told of one model at a time.',
			tags: ['models'],
			querystring: ListQuery,
			response: { 200: ListOf(ref('Model'), 'A page') },
		},
		handler: (request) => models.list(request.query),
	});
	app.route({
		method: 'GET',
		url: '/v1/models/:id',
		schema: {
			summary: 'An uploaded model, with its report once it is inspected',
			tags: ['models'],
			params: IdParams,
			response: { 200: ref('Model'), ...refusals('not_found') },
		},
		handler: (request) => models.get(request.params.id),
	});
	app.route({
		method: 'DELETE',
		url: '/v1/models/:id',
		schema: {
			summary: 'Delete an uploaded model',
			tags: ['models'],
			params: IdParams,
			response: { 204: Type.Null({ description: 'Deleted' }), ...refusals('not_found', 'model_in_use') },
		},
		handler: async (request, reply) => {
			await models.remove(request.params.id);
			return reply.code(204).send(null);
		},
	});
	await uploadScope(app, ['application/octet-stream'], (scope) => {
		scope.route({
			method: 'POST',
			url: '/v1/models',
			config: { upload: true },
			schema: {
				summary: 'Upload a forward graph',
				description:
					'One self-contained ONNX file, as the raw body or as the field `file` of a form. A worker inspects it: `status` goes from `inspecting` to `ready`, or to `refused` with the reason in `error`. Jobs train it as the family `custom`.',
				tags: ['models'],
				consumes: ['multipart/form-data', 'application/octet-stream'],
				querystring: Filename,
				response: {
					202: ref('Model'),
					...refusals('invalid_request', 'too_large', 'unsupported_media_type', 'insufficient_storage', 'unavailable'),
				},
			},
			handler: async (request, reply) => {
				const model = await addUpload(request, { filename: request.query.filename, fallback: () => 'model.onnx' }, models.add);
				return reply
					.code(202)
					.header('location', `/v1/models/${model.id}`)
					.send(model as never);
			},
		});
	});
}
