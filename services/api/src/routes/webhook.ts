import { ProblemError, WebhookRequest } from '@steelyard/contracts';
import { Type } from 'typebox';
import type { App } from '../fastify-app.js';
import { callerOf } from '../keys/caller.js';
import { ref } from '../schemas/components.js';
import { refusals } from '../schemas/refusals.js';
import type { Webhooks } from '../webhooks/webhooks.js';

const URL = '/v1/webhook';

/** The routes that set, show and remove the webhook of a project. */
export async function webhookRoutes(app: App, { webhooks }: { webhooks: Webhooks }): Promise<void> {
	const none = (project: string) => new ProblemError('not_found', `The project ${project} has no webhook`);
	app.route({
		method: 'PUT',
		url: URL,
		schema: {
			operationId: 'setWebhook',
			summary: 'Set where notices of ended jobs go, with a new secret that signs them',
			description:
				'The answer has the secret, which is never shown again. It signs all notices of the project, those of jobs with a `notify` of their own as well.',
			tags: ['webhook'],
			body: WebhookRequest,
			response: { 200: ref('NewWebhook'), ...refusals('invalid_request', 'insufficient_storage') },
		},
		handler: async (request, reply) => {
			reply.header('cache-control', 'no-store');
			return webhooks.set(callerOf(request).project, request.body);
		},
	});
	app.route({
		method: 'GET',
		url: URL,
		schema: {
			operationId: 'getWebhook',
			summary: 'The webhook of the project, without its secret',
			tags: ['webhook'],
			response: { 200: ref('Webhook'), ...refusals('not_found') },
		},
		handler: async (request) => {
			const { project } = callerOf(request);
			const found = await webhooks.find(project);
			if (found === null) throw none(project);
			return found;
		},
	});
	app.route({
		method: 'DELETE',
		url: URL,
		schema: {
			operationId: 'deleteWebhook',
			summary: 'Send no notices of the project any more',
			tags: ['webhook'],
			response: { 204: Type.Null({ description: 'Deleted' }), ...refusals('not_found') },
		},
		handler: async (request, reply) => {
			const { project } = callerOf(request);
			if (!(await webhooks.remove(project))) throw none(project);
			reply.code(204);
			return null;
		},
	});
}
