import { once } from 'node:events';
import { PassThrough, type Readable } from 'node:stream';
import { isFinal, type JobEvent, ListOf } from '@steelyard/contracts';
import type { Queue } from '@steelyard/queue';
import { Type } from 'typebox';
import type { App } from '../fastify-app.js';
import type { JobLookup } from '../jobs/lookup.js';
import { wantsStream } from '../jobs/wants-stream.js';
import { type Caller, callerOf, FIRST_KEY } from '../keys/caller.js';
import type { Keys } from '../keys/keys.js';
import { unknownCursor } from '../resources/page.js';
import { ref } from '../schemas/components.js';
import { IdParams } from '../schemas/id-params.js';
import { refusals } from '../schemas/refusals.js';

/** Milliseconds between the comments that keep proxies from closing a quiet stream. */
const HEARTBEAT = 15_000;
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
	'last-event-id': Type.Optional(
		Type.String({
			pattern: `^(${EVENT_ID.slice(1, -1)})?$`,
			description: 'the same as `after`, in the form in which event sources send it',
		}),
	),
});

const EventStream = Type.Unsafe<Readable>({
	type: 'string',
	description: 'Each event is a frame: `id`, `event` with the type of the event, and `data` with a JobEvent as JSON on one line.',
});

/** The place in front of an event, by its id: unix milliseconds, and a number among those of the same one. */
function placeBefore(id: string): string {
	const [at = 0n, number = 0n] = id.split('-').map(BigInt);
	return number > 0n ? `${at}-${number - 1n}` : `${at > 0n ? at - 1n : 0n}-${at > 0n ? 2n ** 64n - 1n : 0n}`;
}

/** An event as the frame of a stream. */
const framed = (event: JobEvent) => `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

/** The route that gives out the events of a job, as a page or as a live stream. */
export async function eventRoutes(app: App, { queue, job, keys }: { queue: Queue; job: JobLookup; keys: Keys }): Promise<void> {
	const open = new Set<AbortController>();
	// This runs before the server waits for its connections to end, which streams would not do by themselves.
	app.addHook('preClose', async () => {
		for (const stream of open) stream.abort();
	});

	/** Keeps a quiet stream open, and ends one whose key is not valid any more. */
	async function beat({ key }: Caller, output: PassThrough, left: AbortController): Promise<void> {
		if (key !== null && key !== FIRST_KEY && !(await keys.isStillValid(key))) left.abort();
		else if (!output.writableNeedDrain) output.write(':\n\n');
	}

	type Followed = { id: string; after: string | undefined; caller: Caller };

	/** Writes events to `output` until the job has ended, the client has gone, its key is not valid any more or the service closes. Never rejects. */
	async function stream({ id, after, caller }: Followed, output: PassThrough, left: AbortController): Promise<void> {
		open.add(left);
		const heartbeat = setInterval(() => {
			beat(caller, output, left).catch((error: unknown) =>
				app.log.warn({ err: error, job: id }, 'the key of an event stream could not be looked at'),
			);
		}, HEARTBEAT);
		output.once('close', () => left.abort());
		try {
			output.write('retry: 1000\n\n');
			for await (const event of queue.events.follow(id, after, left.signal)) {
				if (!output.write(framed(event))) await once(output, 'drain', { signal: left.signal });
			}
		} catch (error) {
			// The client connects again and asks for what follows the last event that it has seen.
			if (!left.signal.aborted) app.log.warn({ err: error, job: id }, 'an event stream broke off');
		} finally {
			clearInterval(heartbeat);
			open.delete(left);
			output.end();
		}
	}

	app.route({
		method: 'GET',
		url: '/v1/jobs/:id/events',
		exposeHeadRoute: false,
		config: { stream: true },
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
			const output = new PassThrough();
			const left = new AbortController();
			// A connection carries one stream and then closes, so that no idle connection holds up the end of the service.
			reply
				.type('text/event-stream; charset=utf-8')
				.header('cache-control', 'no-store')
				.header('x-accel-buffering', 'no')
				.header('connection', 'close');
			void stream({ id, after, caller: callerOf(request) }, output, left);
			return output;
		},
	});
}
