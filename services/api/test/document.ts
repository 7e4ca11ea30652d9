import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'vitest';

export type Schema = {
	properties?: Record<string, Schema>;
	patternProperties?: Record<string, Schema>;
	additionalProperties?: Schema | boolean;
	items?: Schema;
	anyOf?: Schema[];
	allOf?: Schema[];
	[keyword: string]: unknown;
};
export type Content = Record<string, { schema: Schema; examples?: Record<string, { value: unknown }> }>;
export type Operation = {
	operationId: string;
	summary?: string;
	tags?: string[];
	security?: object[];
	parameters?: { name: string; in: string; required?: boolean; schema: Schema }[];
	requestBody?: { content: Content };
	responses: Record<string, { description: string; headers?: Record<string, { $ref: string }>; content?: Content }>;
};
/** What these tests read of `/openapi.json`. */
export type Document = {
	openapi: string;
	info: { title: string; version: string };
	paths: Record<string, Record<string, Operation>>;
	components: { schemas: Record<string, Schema>; headers: Record<string, { required: boolean; schema: Schema }> };
};

/** An answer of the service; `body` is its text. */
export type Answer = { method: string; url: string; status: number; headers: Record<string, unknown>; body: string };

/** The schema without room for fields that it does not name, so that a field which only one side knows is found. `isPart`: the fields of a value are in several schemas. */
function closed({ properties, additionalProperties, items, anyOf, allOf, ...rest }: Schema, isPart = false): Schema {
	const each = (schemas: Record<string, Schema>) => Object.fromEntries(Object.entries(schemas).map(([name, one]) => [name, closed(one)]));
	return {
		...rest,
		...(properties && {
			properties: each(properties),
			...(isPart ? {} : { additionalProperties: false }),
		}),
		...(typeof additionalProperties === 'object' && { additionalProperties: closed(additionalProperties) }),
		...(items && { items: closed(items) }),
		...(anyOf && { anyOf: anyOf.map((one) => closed(one, isPart)) }),
		...(allOf && { allOf: allOf.map((one) => closed(one, true)), unevaluatedProperties: false }),
	};
}

const isIn = (range: string, mediaType: string): boolean => range === '*/*' || range === mediaType;

/** Every operation of a document. */
export const operationsOf = ({ paths }: Document) =>
	Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method, operation })));

/** The events of a body of server-sent events. */
export const eventsOf = (body: string): unknown[] => [...body.matchAll(/^data: (.*)$/gm)].map(([, data = '']) => JSON.parse(data));

/** Holds values and answers against a document. */
export function checkerOf(document: Document) {
	const ajv = new Ajv2020({ strict: false, formats: { binary: true } });
	const schemas = Object.fromEntries(Object.entries(document.components.schemas).map(([name, schema]) => [name, closed(schema)]));
	ajv.addSchema({ $id: 'document', components: { schemas } });
	const validators = new Map<Schema, ReturnType<typeof ajv.compile>>();

	function fits(schema: Schema, value: unknown, what: string): void {
		const validate = validators.get(schema) ?? ajv.compile({ $id: `document-${validators.size}`, ...relocated(closed(schema)) });
		validators.set(schema, validate);
		expect(validate(value), `${what}: ${JSON.stringify(validate.errors)} in ${JSON.stringify(value).slice(0, 500)}`).toBe(true);
	}
	const component = (name: string): Schema => document.components.schemas[name] ?? expect.unreachable(`there is no schema ${name}`);

	return {
		/** Expects a value to fit a component. */
		fits: (name: string, value: unknown) => fits(component(name), value, name),

		/** Expects a value, which is called `what` where it does not, to fit a schema of the document. */
		fitsSchema: fits,

		/** Expects an answer to be described by the document, body and all; gives the id of its operation and its status. */
		check({ method, url, status, headers, body }: Answer): string {
			const path = url.split('?', 1)[0] ?? '';
			const found = operationsOf(document).find(
				(one) => one.method === method.toLowerCase() && new RegExp(`^${one.path.replace(/\{\w+\}/g, '[^/]+')}$`).test(path),
			);
			const { operationId, responses } = found?.operation ?? expect.unreachable(`${method} ${path} is not in the document`);
			const what = `${operationId} ${status}`;
			const response =
				responses[status] ??
				(status >= 400 ? responses['default'] : undefined) ??
				expect.unreachable(`${what} is not in the document: ${body.slice(0, 300)}`);
			for (const [name, { $ref }] of Object.entries(response.headers ?? {})) {
				const { required, schema } = document.components.headers[$ref.replace('#/components/headers/', '')] ?? expect.unreachable($ref);
				if (required || headers[name] !== undefined) fits(schema, headers[name], `${what}, the header ${name}`);
			}
			if (response.content === undefined) {
				expect(body, what).toBe('');
				return what;
			}
			const type = String(headers['content-type'] ?? '').split(';', 1)[0] ?? '';
			const [, { schema }] =
				Object.entries(response.content).find(([range]) => isIn(range, type)) ?? expect.unreachable(`${what} is not described as ${type}`);
			const event = component(operationId === 'watchJobs' ? 'JobListChange' : 'JobEvent');
			if (type === 'text/event-stream') for (const one of eventsOf(body)) fits(event, one, `${what}, an event`);
			else if (schema['format'] !== 'binary') fits(schema, JSON.parse(body), what);
			return what;
		},
	};
}

/** The schema with its references to components leading into the closed ones. */
const relocated = (schema: Schema): Schema =>
	JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"document#/components/')) as Schema;
