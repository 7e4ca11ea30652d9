import { ListOf, logQuery } from '@steelyard/contracts';
import type { Store } from '@steelyard/store';
import type { App } from '../fastify-app.js';
import { logPage } from '../jobs/log.js';
import type { JobLookup } from '../jobs/lookup.js';
import { callerOf } from '../keys/caller.js';
import { ref } from '../schemas/components.js';
import { IdParams } from '../schemas/id-params.js';
import { refusals } from '../schemas/refusals.js';

/** The route that gives out the log of a job. */
export async function logRoutes(app: App, { store, job }: { store: Store; job: JobLookup }): Promise<void> {
	app.route({
		method: 'GET',
		url: '/v1/jobs/:id/logs',
		schema: {
			operationId: 'getJobLogs',
			summary: 'The log of a job, oldest line first',
			description:
				'How each attempt began and ended, what it waited for and warned of, and what its trainer wrote. Without `after` the last lines; with it those that follow, so that a client which asks again and again misses none.',
			tags: ['jobs'],
			params: IdParams,
			querystring: logQuery,
			response: { 200: ListOf(ref('JobLogLine'), { description: 'A page' }), ...refusals('invalid_request', 'not_found') },
		},
		handler: async (request) => logPage(store, (await job(callerOf(request), request.params.id)).id, request.query),
	});
}
