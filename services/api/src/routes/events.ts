import { isFinal, type JobEvent, ListOf } from '@steelyard/contracts';
import type { Queue } from '@steelyard/queue';
import { Type } from 'typebox';
import type { App } from '../fastify-app.js';
import type { JobLookup } from '../jobs/lookup.js';
import { wantsStream } from '../jobs/wants-stream.js';
import { callerOf } from '../keys/caller.js';
import { unknownCursor } from '../resources/page.js';
import { ref } from '../schemas/components.js';
import { IdParams } from '../schemas/id-params.js';
import { refusals } from '../schemas/refusals.js';
import { type EventStreams, eventStream, frameOf, lastEventId } from '../streams/event-streams.js';

const EVENT_ID = '^[0-9]{1,19}(-[0-9]{1,19})?$';

const EventQuery = Type.Object(
	{
		limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100, description: 'most events that a page may have; a stream has all' }),
		after: Type.Optional(Type.String({ pattern: EVENT_ID, description: 'the id of the last event seen' })),
	},
	{ additionalProperties: false },
);
const EventHeaders = Type.Object({
	accept: Type.Optional(Type.String({ maxLength: 1000 })),
	'last-event-id': lastEventId(EVENT_ID),
});

const EventStream = eventStream(
	'Each event is a frame: `id`, `event` with the type of the event, and `data` with a JobEvent as JSON on one line.',
);

/** The place in front of an event, by its id: unix milliseconds, and a number among those of the same one. */
function placeBefore(id: string): string {
	const [at = 0n, number = 0n] = id.split('-').map(BigInt);
	return number > 0n ? `${at}-${number - 1n}` : `${at > 0n ? at - 1n : 0n}-${at > 0n ? 2n ** 64n - 1n : 0n}`;
}

async function* framesOf(events: AsyncIterable<JobEvent>): AsyncGenerator<string> {
	for await (const event of events) yield frameOf({ id: event.id, event: event.type, data: JSON.stringify(event) });
}

type Parts = { queue: Queue; job: JobLookup; streams: EventStreams };

/** The route that gives out the events of a job, as a page or as a live stream. */
export async function eventRoutes(app: App, { queue, job, streams }: Parts): Promise<void> {
	app.route({
		method: 'GET',
		url: '/v1/jobs/:id/events',
		exposeHeadRoute: false,
		config: { stream: 'accepted' },
		schema: {
			operationId: 'listJobEvents',
			summary: 'What happened in a job, oldest first',
			description:
				'A page of JSON, or with `Accept: text/event-stream` server-sent events, live until the final status. A client that sends `Last-Event-ID` gets what followed that event; 204 says that nothing more will come.',
			tags: ['jobs'],
			params: IdParams,
			querystring: EventQuery,
			headers: EventHeaders,
			response: {
				200: {
					description: 'A page, or a stream',
					content: { 'application/json': { schema: ListOf(ref('JobEvent')) }, 'text/event-stream': { schema: EventStream } },
				},
				204: Type.Null({ description: 'The job has ended, and the client has seen all its events' }),
				...refusals('invalid_request', 'not_found'),
			},
		},
		handler: async (request, reply) => {
			const { id, status } = await job(callerOf(request), request.params.id);
			const { limit } = request.query;
			const header = request.headers['last-event-id'];
			const after = header || request.query.after;
			const position = after === undefined ? {} : { after };
			if (!wantsStream(request.headers.accept)) {
				const events = await queue.events.read(id, { ...position, limit: limit + 1 });
				// An empty page is right after the last event. Events before the first may have been there; none was later than the last.
				if (
					events.length === 0 &&
					after !== undefined &&
					(await queue.events.read(id, { after: placeBefore(after), limit: 1 })).length === 0
				)
					throw unknownCursor(after, header ? 'last-event-id' : 'after');
				return { object: 'list' as const, data: events.slice(0, limit), has_more: events.length > limit };
			}
			if (isFinal(status) && after !== undefined && (await queue.events.read(id, { after, limit: 1 })).length === 0) {
				reply.code(204);
				return null;
			}
			return streams.send(request, reply, {
				begin: (signal) => framesOf(queue.events.follow(id, after, signal)),
				about: { job: id },
			});
		},
	});
}
