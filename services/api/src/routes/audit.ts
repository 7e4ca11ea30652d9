import { auditQuery, ListOf } from '@steelyard/contracts';
import type { Audit } from '../audit/audit.js';
import type { App } from '../fastify-app.js';
import { ref } from '../schemas/components.js';
import { refusals } from '../schemas/refusals.js';

/** The route that gives out the audit log. */
export async function auditRoutes(app: App, { audit }: { audit: Audit }): Promise<void> {
	app.route({
		method: 'GET',
		url: '/v1/audit',
		config: { scope: 'admin' },
		schema: {
			operationId: 'listAuditLines',
			summary: 'Who did what, newest line first',
			description:
				'A line for each request that was to change something and was not refused for its content, and for each that was refused for lack of a valid key or of rights.',
			tags: ['keys'],
			querystring: auditQuery,
			response: { 200: ListOf(ref('AuditLine'), { description: 'A page' }), ...refusals('invalid_request') },
		},
		handler: (request) => audit.page(request.query),
	});
}
