import swagger, { type SwaggerTransformObject } from '@fastify/swagger';
import { JobSpec, requestOf } from '@steelyard/contracts';
import type { FastifySchema } from 'fastify';
import { type TSchema, Type } from 'typebox';
import type { App } from '../fastify-app.js';
import { components, ref } from '../schemas/components.js';
import { documented } from '../schemas/documented.js';
import { otherRefusals, refusals } from '../schemas/refusals.js';
import { REQUEST_ID } from './request-id.js';
import { NoFields } from './validation.js';

const file = { type: 'string', format: 'binary' };
const form = { type: 'object', required: ['file'], properties: { file } };

/** The body of an upload, which comes as the raw bytes or as a form. */
const uploadOf = (types: readonly string[]) => ({
	content: Object.fromEntries(types.map((type) => [type, { schema: type === 'multipart/form-data' ? form : file }])),
});

/** The schema of a route as its clients see it: they may leave out what has a default, and may get errors that routes have in common. */
function described(
	schema: FastifySchema,
	{ isOpen, isUpload, isSecured }: { isOpen: boolean; isUpload: boolean; isSecured: boolean },
): FastifySchema {
	const { querystring, body, response, ...rest } = schema;
	const common = {
		...(isOpen ? {} : refusals('invalid_request', 'internal', 'unavailable')),
		...(isOpen || !isSecured ? {} : refusals('unauthorized')),
		...(body === undefined ? {} : refusals('invalid_request', 'invalid_json', 'too_large', 'unsupported_media_type')),
	};
	return {
		...rest,
		...(isOpen ? { security: [] } : {}),
		response: { ...common, ...(response as object), default: otherRefusals },
		...(querystring === undefined ? {} : { querystring: documented(requestOf(querystring as TSchema)) }),
		...(body === undefined || body === NoFields ? {} : { body: body === JobSpec ? ref('JobRequest') : body }),
		...(isUpload ? { body: uploadOf(schema.consumes ?? []) } : {}),
	};
}

type Responses = Record<string, { headers?: object }>;

/** The document with the header that every answer has, which no route sets by itself. */
const withRequestId: SwaggerTransformObject = (made) => {
	if (!('openapiObject' in made)) return made.swaggerObject;
	const { openapiObject: document } = made;
	const own = { [REQUEST_ID]: { $ref: '#/components/headers/RequestId' } };
	for (const methods of Object.values(document.paths ?? {}))
		for (const { responses } of Object.values(methods as Record<string, { responses: Responses }>))
			for (const response of Object.values(responses)) response.headers = { ...response.headers, ...own };
	const header = { description: 'Names the request, as the lines of the logs do', required: true, schema: { type: 'string' } };
	return { ...document, components: { ...document.components, headers: { RequestId: header } } } as typeof document;
};

/** Serves the OpenAPI 3.1 document, which is made of the schemas that the routes validate by, at `/openapi.json`. */
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
				{ name: 'service', description: 'How the service is' },
			],
			...(secured ? { security: [{ key: [] }] } : {}),
			components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
		},
		transform: ({ schema, url, route: { config } }) => ({
			schema: described(schema, { isOpen: config?.open === true, isUpload: config?.upload === true, isSecured: secured }),
			url,
		}),
		transformObject: withRequestId,
		refResolver: { buildLocalReference: ({ $id }, _base, _fragment, i) => (typeof $id === 'string' ? $id : `schema${i}`) },
	});
	app.route({
		method: 'GET',
		url: '/openapi.json',
		schema: { hide: true, response: { 200: Type.Unsafe<ReturnType<App['swagger']>>({ type: 'object' }) } },
		handler: (_request, reply) => {
			reply.type('application/json; charset=utf-8');
			return app.swagger();
		},
	});
}
