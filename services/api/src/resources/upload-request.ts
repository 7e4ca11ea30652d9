import type { Readable } from 'node:stream';
import multipart from '@fastify/multipart';
import { fromText, ProblemError, parse } from '@steelyard/contracts';
import type { FastifyRequest } from 'fastify';
import type { Static, TObject } from 'typebox';
import type { App } from '../fastify-app.js';
import { discard } from './receive.js';

/** Writes a stream to the disk. `filename` is the name that the client gave to the file. Throws ProblemError. */
export type Save = (source: Readable, filename: string) => Promise<void>;

/** Has the file of a request saved, and gives what the request says of it. Throws ProblemError. */
export type Send<Said> = (save: Save) => Promise<Said>;

/** Fields of a form by their names; one that came several times is a list, which no field may be. */
const fieldsOf = (parts: readonly (readonly [string, unknown])[]): Record<string, unknown> => {
	const values = new Map<string, unknown[]>();
	for (const [name, value] of parts) values.set(name, [...(values.get(name) ?? []), value]);
	return Object.fromEntries([...values].map(([name, all]) => [name, all.length === 1 ? all[0] : all]));
};

/** Saves the file of a form, and gives what its other fields say. Refuses a form that has no file, or a field that is not known. */
async function saveForm<T extends TObject>(request: FastifyRequest, schema: T, save: Save): Promise<Static<T>> {
	let saved = false;
	const fields: [string, unknown][] = [];
	const naming = (): Static<T> => parse(schema, fromText(schema, fieldsOf(fields)));
	try {
		for await (const part of request.parts()) {
			if (part.type === 'field') {
				if (part.fieldnameTruncated || part.valueTruncated)
					throw new ProblemError('invalid_request', `The field ${part.fieldname} of the form is too long`, part.fieldname);
				fields.push([part.fieldname, part.value]);
				continue;
			}
			if (part.fieldname !== 'file' || saved)
				throw new ProblemError('invalid_request', 'The form must have one file, which is named "file"', part.fieldname);
			// What is wrong in fields that came before is said before the file is read.
			naming();
			await save(part.file, part.filename ?? '');
			saved = true;
		}
	} catch (error) {
		// Any other error comes from the parser, which could not read the form.
		if (error instanceof ProblemError || 'syscall' in (error as object)) throw error;
		throw new ProblemError('invalid_request', `The form cannot be read: ${(error as Error).message}`, 'file');
	}
	const said = naming();
	if (!saved) throw new ProblemError('invalid_request', 'The form has no file named "file"', 'file');
	return said;
}

/** Registers routes whose bodies are streams: forms, and raw bytes of these types. The bodies of all other routes are JSON. */
export async function uploadScope(app: App, types: string[], routes: (scope: App) => void): Promise<void> {
	await app.register(async (scope: App) => {
		scope.removeAllContentTypeParsers();
		scope.addContentTypeParser(types, (_request, payload, done) => done(null, payload));
		await scope.register(multipart, {
			// A manifest, a name, a label and as many metadata as there may be.
			limits: { fileSize: Number.POSITIVE_INFINITY, fieldNameSize: 512, fieldSize: 2 ** 18, fields: 20, parts: 21, headerPairs: 100 },
		});
		routes(scope);
	});
}

/** What may be said of a file (`schema`), what the query says, and what a raw body is called of which the query does not say that. */
export type UploadSaid<T extends TObject> = { schema: T; query: Static<T> & { filename?: string }; fallback: () => string };

/**
 * Calls `add` with a function that saves what a request carries: the file of a form, or a raw body, whose name is `?filename=` or else `fallback`, and what the
 * fields of the form or the query say of it. If `add` throws, the rest of the body is dropped.
 */
export async function addUpload<T extends TObject, R>(
	request: FastifyRequest,
	{ schema, query, fallback }: UploadSaid<T>,
	add: (send: Send<Static<T>>) => Promise<R>,
): Promise<R> {
	const { filename, ...said } = query;
	try {
		return await add(async (save) => {
			if (!request.isMultipart()) {
				if (request.body === undefined)
					throw new ProblemError(
						'invalid_request',
						'The request has no body: send the file as it is, or as the field "file" of a form',
						'file',
					);
				await save(request.body as Readable, filename ?? fallback());
				return said as Static<T>;
			}
			const [stray] = Object.keys(query);
			if (stray !== undefined)
				throw new ProblemError(
					'invalid_request',
					'A form says this itself: its file has a filename, and all else that is said of it are fields',
					stray,
				);
			return saveForm(request, schema, save);
		});
	} catch (error) {
		discard(request.raw);
		throw error;
	}
}
