import { retentionQuery } from '@steelyard/contracts';
import type { Queue } from '@steelyard/queue';
import type { Store } from '@steelyard/store';
import type { App } from '../fastify-app.js';
import { type RetentionLimits, retain } from '../housekeeping/retention.js';
import { usageOf } from '../housekeeping/usage.js';
import { callerOf } from '../keys/caller.js';
import type { OwnerOf } from '../resources/owners.js';
import type { Room } from '../resources/room.js';
import { ref } from '../schemas/components.js';
import { refusals } from '../schemas/refusals.js';

type Parts = { queue: Queue; store: Store; room: Room; ownerOf: OwnerOf; limits: RetentionLimits };

/** Milliseconds between two times at which what is no longer kept is removed. */
const EVERY = 60 * 60 * 1000;

/** The routes that say what lies in the data folder, and remove what is no longer kept; which also happens every hour while the service listens. */
export async function housekeepingRoutes(app: App, { queue, store, room, ownerOf, limits }: Parts): Promise<void> {
	app.route({
		method: 'GET',
		url: '/v1/usage',
		config: { scope: 'admin' },
		schema: {
			operationId: 'getUsage',
			summary: 'What lies in the data folder, what of it belongs to the project, and how much room the disk has',
			tags: ['service'],
			response: { 200: ref('Usage') },
		},
		handler: (request) => usageOf({ store, room, ownerOf }, callerOf(request).project),
	});
	app.route({
		method: 'POST',
		url: '/v1/retention',
		config: { scope: 'admin' },
		schema: {
			operationId: 'applyRetention',
			summary: 'Remove what is no longer kept',
			description:
				'Jobs that have ended and that the configured limits of age, count and bytes leave no room for, and what interrupted processes have left. The service does the same every hour; with `dry_run` nothing is removed.',
			tags: ['service'],
			querystring: retentionQuery,
			response: { 200: ref('Retention'), ...refusals('invalid_request') },
		},
		handler: (request) => retain({ store, queue, limits }, { dryRun: request.query.dry_run ?? false }),
	});

	let timer: NodeJS.Timeout | undefined;
	app.addHook('onListen', async () => {
		timer = setInterval(() => {
			retain({ store, queue, limits }).then(
				({ jobs, orphans }) => jobs.count + orphans.count > 0 && app.log.info({ jobs, orphans }, 'what is no longer kept was removed'),
				(error: unknown) => app.log.warn({ err: error }, 'what is no longer kept could not be removed'),
			);
		}, EVERY).unref();
	});
	app.addHook('onClose', async () => clearInterval(timer));
}
