import type { Readable } from 'node:stream';
import multipart from '@fastify/multipart';
import { ProblemError } from '@steelyard/contracts';
import type { FastifyRequest } from 'fastify';
import type { App } from '../fastify-app.js';
import { discard } from './receive.js';

/** Writes a stream to disk; `filename` tells what it is. Throws ProblemError. */
export type Save = (source: Readable, filename: string) => Promise<void>;

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
	if (!saved) throw new ProblemError('invalid_request', 'The form has no file named "file"', 'file');
}

/** The part of an application whose bodies are streams, as those of all others are JSON: forms, and raw bytes of these types. */
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

/** Adds what a request carries, the file of a form or a raw body named by `?filename=` or `fallback`; what is left of a refused body is thrown away. */
export async function addUpload<T>(
	request: FastifyRequest,
	{ filename, fallback }: { filename: string | undefined; fallback: () => string },
	add: (send: (save: Save) => Promise<void>) => Promise<T>,
): Promise<T> {
	try {
		return await add(async (save) => {
			if (!request.isMultipart()) return save(request.body as Readable, filename ?? fallback());
			if (filename !== undefined) throw new ProblemError('invalid_request', 'A form names its file itself', 'filename');
			return saveForm(request, save);
		});
	} catch (error) {
		discard(request.raw);
		throw error;
	}
}
