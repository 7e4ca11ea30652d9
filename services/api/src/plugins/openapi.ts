import swagger from '@fastify/swagger';
import type { App } from '../app.js';
import { components } from '../schemas/components.js';

/** Writes the OpenAPI 3.1 document from the schemas that the routes validate by. */
export async function addOpenapi(app: App, { version, secured }: { version: string; secured: boolean }): Promise<void> {
	for (const [name, schema] of Object.entries(components)) app.addSchema({ ...schema, $id: name });
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
		refResolver: { buildLocalReference: ({ $id }, _base, _fragment, i) => (typeof $id === 'string' ? $id : `schema${i}`) },
	});
	app.route({
		method: 'GET',
		url: '/openapi.json',
		schema: { hide: true },
		handler: (_request, reply) => reply.type('application/json; charset=utf-8').send(app.swagger() as never),
	});
}
