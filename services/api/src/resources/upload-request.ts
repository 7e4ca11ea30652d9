import type { Readable } from 'node:stream';
import multipart from '@fastify/multipart';
import { ProblemError } from '@steelyard/contracts';
import type { FastifyRequest } from 'fastify';
import type { App } from '../fastify-app.js';
import { discard } from './receive.js';

/** Writes a stream to the disk. `filename` is the name that the client gave to the file. Throws ProblemError. */
export type Save = (source: Readable, filename: string) => Promise<void>;

/** Saves the file of a form. Refuses a form that has no file, or anything beside it. */
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
		// Any other error comes from the parser, which could not read the form.
		if (error instanceof ProblemError || 'syscall' in (error as object)) throw error;
		throw new ProblemError('invalid_request', `The form cannot be read: ${(error as Error).message}`, 'file');
	}
	if (!saved) throw new ProblemError('invalid_request', 'The form has no file named "file"', 'file');
}

/** Registers routes whose bodies are streams: forms, and raw bytes of these types. The bodies of all other routes are JSON. */
export async function uploadScope(app: App, types: string[], routes: (scope: App) => void): Promise<void> {
	await app.register(async (scope: App) => {
		scope.removeAllContentTypeParsers();
		scope.addContentTypeParser(types, (_request, payload, done) => done(null, payload));
		await scope.register(multipart, {
			limits: { fileSize: Number.POSITIVE_INFINITY, fieldSize: 1024, fields: 10, parts: 10, headerPairs: 100 },
		});
		routes(scope);
	});
}

/**
 * Calls `add` with a function that saves what a request carries: the file of a form, or a raw body, whose name is `?filename=` or else `fallback`. If `add`
 * throws, the rest of the body is dropped.
 */
export async function addUpload<T>(
	request: FastifyRequest,
	{ filename, fallback }: { filename: string | undefined; fallback: () => string },
	add: (send: (save: Save) => Promise<void>) => Promise<T>,
): Promise<T> {
	try {
		return await add(async (save) => {
			if (!request.isMultipart()) {
				if (request.body === undefined)
					throw new ProblemError(
						'invalid_request',
						'The request has no body: send the file as it is, or as the field "file" of a form',
						'file',
					);
				return save(request.body as Readable, filename ?? fallback());
			}
			if (filename !== undefined) throw new ProblemError('invalid_request', 'A form names its file itself', 'filename');
			return saveForm(request, save);
		});
	} catch (error) {
		discard(request.raw);
		throw error;
	}
}
