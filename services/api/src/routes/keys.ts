import { FoundListOf, KeyRequest, listQuery } from '@steelyard/contracts';
import { Type } from 'typebox';
import type { App } from '../fastify-app.js';
import { callerOf } from '../keys/caller.js';
import type { Keys } from '../keys/keys.js';
import { ref } from '../schemas/components.js';
import { IdParams } from '../schemas/id-params.js';
import { refusals } from '../schemas/refusals.js';
import type { Webhooks } from '../webhooks/webhooks.js';

/** The routes that make, list and revoke keys, and the one that says who asks. */
export async function keyRoutes(app: App, { keys, webhooks }: { keys: Keys; webhooks: Pick<Webhooks, 'find'> }): Promise<void> {
	const config = { scope: 'admin' } as const;
	app.route({
		method: 'POST',
		url: '/v1/keys',
		config,
		schema: {
			operationId: 'createKey',
			summary: 'Make a key',
			description: 'The answer has the token, which is kept nowhere and never shown again.',
			tags: ['keys'],
			body: KeyRequest,
			response: { 201: ref('NewKey'), ...refusals('invalid_request', 'insufficient_storage') },
		},
		handler: async (request, reply) => {
			const key = await keys.create(request.body);
			reply.code(201).header('location', `/v1/keys/${key.id}`).header('cache-control', 'no-store');
			return key;
		},
	});
	app.route({
		method: 'GET',
		url: '/v1/keys',
		config,
		schema: {
			operationId: 'listKeys',
			summary: 'Keys of all projects, newest first',
			description: 'Without STEELYARD_API_KEY, which is no resource, and without those that were revoked.',
			tags: ['keys'],
			querystring: listQuery('key'),
			response: { 200: FoundListOf(ref('Key'), { description: 'A page' }), ...refusals('invalid_request') },
		},
		handler: (request) => keys.list(request.query),
	});
	app.route({
		method: 'DELETE',
		url: '/v1/keys/:id',
		config,
		schema: {
			operationId: 'revokeKey',
			summary: 'Revoke a key',
			description:
				'It is not valid any more for what comes from now on; in other processes of the API over the same data folder within five seconds.',
			tags: ['keys'],
			params: IdParams,
			response: { 204: Type.Null({ description: 'Revoked' }), ...refusals('not_found') },
		},
		handler: async (request, reply) => {
			await keys.revoke(request.params.id);
			reply.code(204);
			return null;
		},
	});
	app.route({
		method: 'GET',
		url: '/v1/caller',
		schema: {
			operationId: 'getCaller',
			summary: 'Who asks: the key, its scope, and the project that the request works in',
			tags: ['keys'],
			response: { 200: ref('Caller') },
		},
		handler: async (request) => {
			const caller = callerOf(request);
			return { object: 'caller' as const, ...caller, has_webhook: (await webhooks.find(caller.project)) !== null };
		},
	});
}
