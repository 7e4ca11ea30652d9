import { fromText, jsonFault, ProblemError, parse } from '@steelyard/contracts';
import type { FastifyError } from 'fastify';
import { type TObject, Type } from 'typebox';
import type { App } from '../fastify-app.js';

/** A query string or a body that may be there but has nothing to say. */
export const NoFields = Type.Object({}, { additionalProperties: false });

/** How deep a body may be nested. No resource comes near it, and a function that walks a value by recursion does not run out of stack. */
const DEPTH = 64;

/** Whether brackets and braces outside of strings nest too deep. It needs no recursion. */
function tooDeep(text: string): boolean {
	let depth = 0;
	let quoted = false;
	for (let i = 0; i < text.length; i++) {
		const c = text.charCodeAt(i);
		if (quoted) {
			if (c === 0x5c) i++;
			else if (c === 0x22) quoted = false;
		} else if (c === 0x22) quoted = true;
		else if (c === 0x5b || c === 0x7b) {
			if (++depth > DEPTH) return true;
		} else if (c === 0x5d || c === 0x7d) depth--;
	}
	return false;
}

const invalidJson = (text: string): ProblemError => {
	const fault = jsonFault(text);
	// What the parser refuses though its syntax is valid could change the prototype of an object.
	const reason = fault === null ? 'it has a field __proto__, or a field prototype in a field constructor' : fault;
	return new ProblemError('invalid_json', `The body is not valid JSON: ${reason}`);
};

type Validated = { value: unknown } | { error: Error };

/** What a route does with an input of a schema. Raw bytes are checked by whoever reads them. */
export const validatorOf =
	({ schema, httpPart }: { schema: unknown; httpPart?: string | undefined }) =>
	(input: unknown): Validated => {
		if (httpPart === 'body' && Buffer.isBuffer(input)) return { value: input };
		const own = schema as TObject;
		try {
			if (httpPart !== 'body') return { value: parse(own, fromText(own, input as Record<string, unknown>)) };
			// A missing body is validated like one without fields, so that the answer names the fields that are required. Where none is, it is refused: nobody
			// replaces the secret of a webhook by a request that has lost its body.
			const mayBeMissing = own === NoFields || (own.required ?? []).length > 0;
			return { value: parse(own, mayBeMissing ? (input ?? {}) : input) };
		} catch (error) {
			return { error: error as Error };
		}
	};

/**
 * Validates requests by the TypeBox schemas of their routes and fills in the defaults. The values of a body must have the types of the schema; those of
 * query strings and headers are text, which is converted. Unknown fields are refused, also by routes that have no query string or no body.
 */
export function addValidation(app: App): void {
	app.setValidatorCompiler(validatorOf);
	// The schemas of answers are for the document and for the types of the handlers. Answers are not checked again while the service runs.
	app.setSerializerCompiler(() => (data) => JSON.stringify(data));

	app.addHook('onRoute', (route) => {
		if (!route.url.startsWith('/v1/')) return;
		route.schema = { querystring: NoFields, ...route.schema };
		if (route.method === 'POST' && route.schema.body === undefined && route.config?.upload !== true) route.schema.body = NoFields;
	});

	const parseJson = app.getDefaultJsonParser('error', 'error');
	app.removeAllContentTypeParsers();
	app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, text, done) => {
		// Clients send this type also where they have nothing to say, such as in a delete. It is like a request without a body.
		if (text === '') done(null, undefined);
		else if (tooDeep(text)) done(new ProblemError('invalid_json', `The body is nested deeper than ${DEPTH} levels`));
		else {
			parseJson(request, text, (error, body) =>
				done((error as FastifyError | null)?.code === 'FST_ERR_CTP_INVALID_JSON_BODY' ? invalidJson(text) : error, body),
			);
		}
	});
}
