import type { Readable } from 'node:stream';
import multipart from '@fastify/multipart';
import { ListQuery, ProblemError } from '@steelyard/contracts';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { App } from '../app.js';
import type { Datasets, Save } from '../datasets/datasets.js';
import { discard } from '../datasets/receive.js';
import { IdParams, ListOf, ref, refusals } from '../schemas/shared.js';

const Filename = Type.Object(
	{ filename: Type.Optional(Type.String({ minLength: 1, maxLength: 255, description: 'of a raw body; tells .zip from .npz' })) },
	{ additionalProperties: false },
);

/** Saves the one file of a form, and refuses a form with anything else in it. */
async function saveForm(request: FastifyRequest, save: Save): Promise<void> {
	let saved = false;
	try {
		for await (const part of request.parts()) {
			if (part.type !== 'file' || part.fieldname !== 'file' || saved) {
				throw new ProblemError('invalid_request', 'The form must have one file named "file" and nothing else', part.fieldname);
			}
			await save(part.file, part.filename ?? '');
			saved = true;
		}
	} catch (error) {
		// What is neither ours nor the disk's is the parser's, which blames the form.
		if (error instanceof ProblemError || 'syscall' in (error as object)) throw error;
		throw new ProblemError('invalid_request', `The form cannot be read: ${(error as Error).message}`, 'file');
	}
}

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

	// Alone in its scope, since its bodies are streams and those of all others are JSON.
	await app.register(async (scope: App) => {
		scope.removeAllContentTypeParsers();
		scope.addContentTypeParser(['application/zip', 'application/x-zip-compressed', 'application/octet-stream'], (_request, payload, done) =>
			done(null, payload),
		);
		await scope.register(multipart, {
			limits: { fileSize: Number.POSITIVE_INFINITY, fieldSize: 1024, fields: 10, parts: 10, headerPairs: 100 },
		});
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
				try {
					const { filename } = request.query;
					const dataset = await datasets.add(async (save) => {
						if (request.isMultipart()) {
							if (filename !== undefined) throw new ProblemError('invalid_request', 'A form names its file itself', 'filename');
							return saveForm(request, save);
						}
						const zip = !request.headers['content-type']?.startsWith('application/octet-stream');
						const name = filename ?? (zip ? 'upload.zip' : undefined);
						if (name === undefined) throw new ProblemError('invalid_request', 'Say ?filename=… ending in .zip or .npz', 'filename');
						return save(request.body as Readable, name);
					});
					return reply
						.code(201)
						.header('location', `/v1/datasets/${dataset.id}`)
						.send(dataset as never);
				} catch (error) {
					discard(request.raw);
					throw error;
				}
			},
		});
	});
}
