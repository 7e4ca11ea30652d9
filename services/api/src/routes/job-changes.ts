import type { ChangeAt, Queue } from '@steelyard/queue';
import { Type } from 'typebox';
import type { App } from '../fastify-app.js';
import { withReason } from '../jobs/admission.js';
import { callerOf } from '../keys/caller.js';
import { refusals } from '../schemas/refusals.js';
import { type EventStreams, eventStream, frameOf, lastEventId } from '../streams/event-streams.js';

const CURSOR = '^[0-9a-f]{16}-[0-9]{1,16}$';

const ChangesQuery = Type.Object(
	{ after: Type.Optional(Type.String({ pattern: CURSOR, description: 'the id of the last change seen' })) },
	{ additionalProperties: false },
);
const ChangesHeaders = Type.Object({ 'last-event-id': lastEventId(CURSOR) });

const ChangeStream = eventStream(
	'Each change is a frame: `id`, a cursor, and `data` with a JobListChange as JSON on one line. It has no end, but breaks off where the service ends.',
);

async function* framesOf(queue: Queue, changes: AsyncIterable<ChangeAt>): AsyncGenerator<string> {
	for await (const { cursor, change } of changes) {
		const shown = change.type === 'changed' ? { ...change, job: (await withReason(queue, [change.job]))[0] ?? change.job } : change;
		yield frameOf({ id: cursor, data: JSON.stringify(shown) });
	}
}

/** The route that gives out what changes the list of the jobs of a project, as a live stream. */
export async function jobChangeRoutes(app: App, { queue, streams }: { queue: Queue; streams: EventStreams }): Promise<void> {
	app.route({
		method: 'GET',
		url: '/v1/job-changes',
		exposeHeadRoute: false,
		config: { stream: 'always' },
		schema: {
			operationId: 'watchJobs',
			summary: 'What changes in the jobs of a project, live',
			description:
				'Server-sent events, whatever is accepted. They begin with `reset`, upon which the client loads its list. A client that sends `Last-Event-ID` gets instead every job that has changed since that change, once, as it is now; it gets `reset` where that is not known any more. Several changes of a job within a quarter of a second are one.',
			tags: ['jobs'],
			querystring: ChangesQuery,
			headers: ChangesHeaders,
			response: {
				200: { description: 'A stream', content: { 'text/event-stream': { schema: ChangeStream } } },
				...refusals('invalid_request'),
			},
		},
		handler: (request, reply) => {
			const { project } = callerOf(request);
			const after = request.headers['last-event-id'] || request.query.after;
			return streams.send(request, reply, {
				begin: async (signal) => framesOf(queue, await queue.changes.follow(project, after, signal)),
				about: { project },
			});
		},
	});
}
