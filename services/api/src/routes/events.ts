import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { isFinal, type JobEvent, ProblemError } from '@steelyard/contracts';
import type { Queue } from '@steelyard/queue';
import { Type } from 'typebox';
import type { App } from '../app.js';
import type { JobLookup } from '../jobs/lookup.js';
import { IdParams, ListOf, ref, refusals } from '../schemas/shared.js';

/** Milliseconds between the comments that keep proxies from closing a quiet stream. */
const HEARTBEAT = 15_000;
const EVENT_ID = '^[0-9]{1,19}(-[0-9]{1,19})?$';

const EventQuery = Type.Object(
	{
		limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }),
		after: Type.Optional(Type.String({ pattern: EVENT_ID, description: 'id of the last event already seen' })),
	},
	{ additionalProperties: false },
);
const EventHeaders = Type.Object({
	accept: Type.Optional(Type.String()),
	'last-event-id': Type.Optional(Type.String({ description: 'as `after`, as event sources send it' })),
});

const wantsStream = (accept: string | undefined) =>
	accept !== undefined && accept.split(',').some((type) => type.split(';', 1)[0]?.trim().toLowerCase() === 'text/event-stream');

const framed = (event: JobEvent) => `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

export async function eventRoutes(app: App, { queue, job }: { queue: Queue; job: JobLookup }): Promise<void> {
	const open = new Set<AbortController>();
	// Before the server waits for its connections to end, which these would not do by themselves.
	app.addHook('preClose', async () => {
		for (const stream of open) stream.abort();
	});

	/** Writes events until the job has ended, the client has gone or the service closes. Never rejects. */
	async function stream(id: string, after: string | undefined, output: PassThrough, left: AbortController): Promise<void> {
		open.add(left);
		const heartbeat = setInterval(() => output.writableNeedDrain || output.write(':\n\n'), HEARTBEAT);
		output.once('close', () => left.abort());
		try {
			output.write('retry: 1000\n\n');
			for await (const event of queue.events.follow(id, after, left.signal)) {
				if (!output.write(framed(event))) await once(output, 'drain', { signal: left.signal });
			}
		} catch (error) {
			// An event source takes the stream up again where it ended.
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
		schema: {
			summary: 'What happened in a job, oldest first',
			description:
				'A page of JSON, or with `Accept: text/event-stream` server-sent events, live until the final status. A stream is resumed by `Last-Event-ID`; 204 says that nothing more will come.',
			tags: ['jobs'],
			params: IdParams,
			querystring: EventQuery,
			headers: EventHeaders,
			produces: ['application/json', 'text/event-stream'],
			response: {
				200: ListOf(ref('JobEvent'), 'A page'),
				204: Type.Null({ description: 'The job has ended and all its events were seen' }),
				...refusals('not_found'),
			},
		},
		handler: async (request, reply) => {
			const { id, status } = await job(request.params.id);
			const { limit } = request.query;
			const header = request.headers['last-event-id'];
			if (header && !new RegExp(EVENT_ID).test(header)) {
				throw new ProblemError(
					'invalid_request',
					`Last-Event-ID must be the id of an event, found ${JSON.stringify(header.slice(0, 60))}`,
					'last-event-id',
				);
			}
			const after = header || request.query.after;
			const position = after === undefined ? {} : { after };
			if (!wantsStream(request.headers.accept)) {
				const events = await queue.events.read(id, { ...position, limit: limit + 1 });
				return { object: 'list', data: events.slice(0, limit), has_more: events.length > limit } as never;
			}
			if (isFinal(status) && after !== undefined && (await queue.events.read(id, { after, limit: 1 })).length === 0)
				return reply.code(204).send(null);
			const output = new PassThrough();
			const left = new AbortController();
			// One stream a connection, which then does not stand idle and hold up the end of the service.
			reply
				.type('text/event-stream; charset=utf-8')
				.header('cache-control', 'no-store')
				.header('x-accel-buffering', 'no')
				.header('connection', 'close');
			void stream(id, after, output, left);
			return reply.send(output as never);
		},
	});
}
