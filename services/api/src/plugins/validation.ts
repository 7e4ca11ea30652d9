import { ProblemError, parse } from '@steelyard/contracts';
import { type TObject, Type } from 'typebox';
import type { App } from '../app.js';
import { fromText } from '../schemas/from-text.js';

const NoFields = Type.Object({}, { additionalProperties: false });

/** Deepest nesting that a body may have: no resource comes near it, and what walks a value by recursion stays off the end of the stack. */
const DEPTH = 64;

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

/**
 * Validates by the TypeBox schemas of the routes, with their defaults. Bodies are taken as they are; query strings and headers are text and so
 * converted to the schema's types. Unknown fields are refused, also where a route says nothing of a query string or a body.
 */
export function addValidation(app: App): void {
	app.setValidatorCompiler(({ schema, httpPart }) => (input: unknown) => {
		const own = schema as TObject;
		try {
			// No body counts as one without fields, so that the answer names those that are required.
			return { value: parse(own, httpPart === 'body' ? (input ?? {}) : fromText(own, input as Record<string, unknown>)) };
		} catch (error) {
			return { error: error as Error };
		}
	});
	// Answers are built by this service, and their schemas are for the document: no second walk over them.
	app.setSerializerCompiler(() => (data) => JSON.stringify(data));

	app.addHook('onRoute', (route) => {
		if (!route.url.startsWith('/v1/')) return;
		route.schema = { querystring: NoFields, ...route.schema };
		if (route.method === 'POST' && route.schema.body === undefined && route.config?.upload !== true) route.schema.body = NoFields;
	});

	const parseJson = app.getDefaultJsonParser('error', 'error');
	app.removeAllContentTypeParsers();
	app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, text, done) => {
		if (tooDeep(text)) done(new ProblemError('invalid_json', `The body is nested deeper than ${DEPTH} levels`));
		else parseJson(request, text, done);
	});
}
