import swagger, { type SwaggerTransformObject } from '@fastify/swagger';
import { JobSpec, PROJECT_NAME, requestOf, type Scope, SweepSpec } from '@steelyard/contracts';
import type { FastifySchema } from 'fastify';
import { type TObject, type TSchema, Type } from 'typebox';
import { type Examples, examples } from '../examples/examples.js';
import type { App } from '../fastify-app.js';
import { PROJECT_HEADER, scopeOf } from '../keys/caller.js';
import { components, ref } from '../schemas/components.js';
import { documented } from '../schemas/documented.js';
import { otherRefusals, refusals } from '../schemas/refusals.js';
import { REQUEST_ID } from './request-id.js';
import { NoFields } from './validation.js';

const file = { type: 'string', format: 'binary' };
/** The field of the query of an upload that a form has not: its file has a name of its own. */
const FILENAME = 'filename';

/** The body of an upload, which comes as the raw bytes or as a form. A form says by its fields what a query says of raw bytes. */
function uploadOf(types: readonly string[], query: TSchema): object {
	const said = Object.entries((documented(query) as TObject).properties).filter(([name]) => name !== FILENAME);
	const form = { type: 'object', required: ['file'], properties: { file, ...Object.fromEntries(said) } };
	return { content: Object.fromEntries(types.map((type) => [type, { schema: type === 'multipart/form-data' ? form : file }])) };
}

/** The header that any request may have. `workingIn` reads it. */
const headersOf = (own: unknown): TSchema => ({
	type: 'object',
	properties: {
		...(own as TSchema | undefined as { properties?: object } | undefined)?.properties,
		[PROJECT_HEADER]: Type.String({
			pattern: PROJECT_NAME.pattern,
			description: 'the project to work in, for keys of the scope admin; default unless given. Other keys know one project.',
		}),
	},
});

type Described = Record<string, { description?: string }>;

/** The answers of a route and those that it has in common with others. Of refusals with one status all codes are named. */
const together = (common: Described, own: Described): Described =>
	Object.fromEntries(
		Object.entries({ ...common, ...own }).map(([status, answer]) => {
			const codes = [common[status], own[status]].flatMap((one) => one?.description?.split(', ') ?? []);
			return [status, status in common && status in own ? { ...answer, description: [...new Set(codes)].join(', ') } : answer];
		}),
	);

/** The schema of a route as its clients see it, who need a key of the scope `needed` (null for none): they may leave out what has a default, and may get errors that routes have in common. */
function described(
	schema: FastifySchema,
	{ isOpen, isUpload, needed }: { isOpen: boolean; isUpload: boolean; needed: Scope | null },
): FastifySchema {
	const { querystring, body, response, headers, ...rest } = schema;
	const posted = body === JobSpec ? ref('JobRequest') : body === SweepSpec ? ref('SweepRequest') : body;
	const common = {
		...(isOpen ? {} : refusals('invalid_request', 'internal', 'unavailable')),
		...(isOpen || needed === null ? {} : refusals('unauthorized', 'forbidden', 'too_many_requests')),
		...(body === undefined ? {} : refusals('invalid_request', 'invalid_json', 'too_large', 'unsupported_media_type')),
	};
	return {
		...rest,
		...(isOpen ? { security: [] } : { headers: headersOf(headers) }),
		...(isOpen || needed === null ? {} : { security: [{ key: [needed] }] }),
		response: { ...together(common, response as Described), default: otherRefusals },
		...(querystring === undefined ? {} : { querystring: documented(requestOf(querystring as TSchema)) }),
		...(body === undefined || body === NoFields ? {} : { body: posted }),
		...(isUpload ? { body: uploadOf(schema.consumes ?? [], querystring as TSchema) } : {}),
	};
}

/** The statuses whose answers have examples. */
const ANSWERED: ReadonlySet<string> = new Set(['200', '201', '202']);

type Content = Record<string, { examples?: Record<string, { value: unknown }> }>;
type Responses = Record<string, { headers?: object; content?: Content }>;

type Parameter = { in?: string; schema?: { type?: string }; style?: string; explode?: boolean };
type Operation = { operationId: string; responses: Responses; requestBody?: { content?: Content }; parameters?: Parameter[] };

/** Says of the parameters that are objects how they are written: as `metadata[name]=text`, which `fromText` reads. */
function styleObjects(parameters: readonly Parameter[]): void {
	// Without an example the page that tries operations out would make one up, by which nothing is found.
	for (const parameter of parameters)
		if (parameter.in === 'query' && parameter.schema?.type === 'object')
			Object.assign(parameter, { style: 'deepObject', explode: true, example: {} });
}

/** Puts examples beside the schemas of a body or an answer, by media type. */
function addExamples(content: Content = {}, values: Examples['body'] = {}): void {
	for (const [type, named] of Object.entries(values)) {
		const one = content[type];
		if (one !== undefined) one.examples = Object.fromEntries(Object.entries(named).map(([name, value]) => [name, { value }]));
	}
}

/** The document with the header that every answer has, which no route sets by itself, with examples, and with what the generator cannot say of parameters. */
const completed: SwaggerTransformObject = (made) => {
	if (!('openapiObject' in made)) return made.swaggerObject;
	const { openapiObject: document } = made;
	const own = { [REQUEST_ID]: { $ref: '#/components/headers/RequestId' } };
	for (const methods of Object.values(document.paths ?? {}))
		for (const { operationId, responses, requestBody, parameters = [] } of Object.values(methods as Record<string, Operation>)) {
			const { body, answer } = examples[operationId] ?? {};
			styleObjects(parameters);
			addExamples(requestBody?.content, body);
			for (const [status, response] of Object.entries(responses)) {
				response.headers = { ...response.headers, ...own };
				if (ANSWERED.has(status)) addExamples(response.content, answer);
			}
		}
	const header = { description: 'Names the request, as the lines of the logs do', required: true, schema: { type: 'string' } };
	return { ...document, components: { ...document.components, headers: { RequestId: header } } } as typeof document;
};

/** Serves the OpenAPI 3.1 document, which is made of the schemas that the routes validate by, at `/openapi.json`. It answers everybody: it is the same for every installation of a version. */
export async function addOpenapi(app: App, { version, secured }: { version: string; secured: boolean }): Promise<void> {
	for (const [name, schema] of Object.entries(components)) app.addSchema({ ...documented(schema), $id: name });
	await app.register(swagger, {
		openapi: {
			openapi: '3.1.0',
			info: { title: 'Steelyard', version, description: 'Trains multimodal models.', license: { name: 'MIT', identifier: 'MIT' } },
			tags: [
				{ name: 'datasets', description: 'Instances with several modalities' },
				{ name: 'models', description: 'Forward graphs of your own, to be trained' },
				{ name: 'jobs', description: 'Training, watched and fetched' },
				{ name: 'sweeps', description: 'Many jobs, of which the best is looked for' },
				{ name: 'webhook', description: 'Notice of jobs that have ended' },
				{ name: 'keys', description: 'Who may do what' },
				{ name: 'service', description: 'How the service is' },
			],
			...(secured ? { security: [{ key: [] }] } : {}),
			components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
		},
		transform: ({ schema, url, route: { config, method } }) => ({
			schema: described(schema, {
				isOpen: config?.open === true,
				isUpload: config?.upload === true,
				needed: secured ? scopeOf(config?.scope, String(method)) : null,
			}),
			url,
		}),
		transformObject: completed,
		refResolver: { buildLocalReference: ({ $id }, _base, _fragment, i) => (typeof $id === 'string' ? $id : `schema${i}`) },
	});
	// Whoever may ask for it without a key must not make it be written each time.
	let text: string | undefined;
	app.route({
		method: 'GET',
		url: '/openapi.json',
		config: { open: true },
		schema: { hide: true },
		serializerCompiler: () => (written) => written,
		handler: (_request, reply) => {
			reply.type('application/json; charset=utf-8');
			text ??= JSON.stringify(app.swagger());
			return text;
		},
	});
}
