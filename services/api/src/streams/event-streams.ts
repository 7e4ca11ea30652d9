import { once } from 'node:events';
import { PassThrough, type Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { App } from '../fastify-app.js';
import { type Caller, callerOf, FIRST_KEY } from '../keys/caller.js';
import type { Keys } from '../keys/keys.js';

/** Milliseconds between the comments that keep proxies from closing a quiet stream. */
const HEARTBEAT = 15_000;

/** The schema of a body of server-sent events, which says what a frame has. */
export const eventStream = (description: string) => Type.Unsafe<Readable>({ type: 'string', description });

/** The schema of the header by which an event source says what it has seen, where ids are like `pattern`. Before the first it may send an empty one. */
export const lastEventId = (pattern: string) =>
	Type.Optional(
		Type.String({
			pattern: `^(${pattern.slice(1, -1)})?$`,
			description: 'the same as `after`, in the form in which event sources send it',
		}),
	);

/** A frame of a stream: what is in `fields` line by line, which have no line breaks. */
export const frameOf = (fields: Readonly<Record<string, string>>): string =>
	`${Object.entries(fields)
		.map(([name, text]) => `${name}: ${text}\n`)
		.join('')}\n`;

/** A stream of frames that is to be sent. */
export type Sent = {
	/** The frames. They end where `signal` is aborted: the client has gone, its key is not valid any more, or the service closes. What it rejects with is the answer. */
	begin(signal: AbortSignal): Promise<AsyncIterable<string>> | AsyncIterable<string>;
	/** What lines of the log say it is about. */
	about: object;
};

export type EventStreams = {
	/** Begins to answer a request by a stream; resolves with the body of the answer. */
	send(request: FastifyRequest, reply: FastifyReply, sent: Sent): Promise<Readable>;
};

/** Opens the event streams of an application, which end when it closes. */
export function openEventStreams(app: App, keys: Keys): EventStreams {
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

	/** Writes frames to `output` until they end. Never rejects. */
	async function write(
		frames: AsyncIterable<string>,
		{ about, caller }: { about: object; caller: Caller },
		output: PassThrough,
		left: AbortController,
	): Promise<void> {
		const heartbeat = setInterval(() => {
			beat(caller, output, left).catch((error: unknown) =>
				app.log.warn({ err: error, ...about }, 'the key of an event stream could not be looked at'),
			);
		}, HEARTBEAT);
		try {
			output.write('retry: 1000\n\n');
			for await (const frame of frames) {
				if (!output.write(frame)) await once(output, 'drain', { signal: left.signal });
			}
		} catch (error) {
			// The client connects again and asks for what follows the last event that it has seen.
			if (!left.signal.aborted) app.log.warn({ err: error, ...about }, 'an event stream broke off');
		} finally {
			clearInterval(heartbeat);
			open.delete(left);
			left.abort();
			output.end();
		}
	}

	return {
		async send(request, reply, { begin, about }) {
			const left = new AbortController();
			open.add(left);
			let frames: AsyncIterable<string>;
			try {
				frames = await begin(left.signal);
			} catch (error) {
				open.delete(left);
				left.abort();
				throw error;
			}
			const output = new PassThrough();
			output.once('close', () => left.abort());
			// A connection carries one stream and then closes, so that no idle connection holds up the end of the service.
			reply
				.type('text/event-stream; charset=utf-8')
				.header('cache-control', 'no-store')
				.header('x-accel-buffering', 'no')
				.header('connection', 'close');
			void write(frames, { about, caller: callerOf(request) }, output, left);
			return output;
		},
	};
}
