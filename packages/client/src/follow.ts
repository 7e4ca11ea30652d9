import type { Connection } from './connection.js';
import { SteelyardError } from './error.js';
import { pause } from './pause.js';
import { serverSentEvents } from './server-sent-events.js';

/** How events are followed. */
export type FollowOptions = {
	/** The id of the last event that the caller has seen. Unless it is given, those of a job come from the first on, and changes begin with `reset`. */
	after?: string;
	signal?: AbortSignal;
	/** After how many failures in a row it gives up; 20 unless given, and never with Infinity. It gives up at once if the service refuses the request (4xx but 429). */
	attempts?: number;
	/** Milliseconds before the first new attempt, 250 unless given. Each further wait is twice as long, up to 5 s. */
	delay?: number;
	/** After how many milliseconds in which nothing came the connection is taken for lost; 45,000 unless given. The service sends something every 15 s. */
	silence?: number;
	/** Called with `open` when a connection is made, and with `lost` when it is gone or cannot be made; never twice with the same. */
	onConnection?: (state: 'open' | 'lost') => void;
};

/** A stream of events: where it is, and which event ends it. */
export type Followed<Event> = { path: string; isLast: (event: Event) => boolean };

const LONGEST_DELAY = 5000;

/** Whether a new attempt may succeed, because no answer came, or one of a proxy, or one that says that the service has a fault or too much to do. */
const mayPass = (error: unknown) => !(error instanceof SteelyardError) || error.status === 0 || error.status === 429 || error.status >= 500;

/** Gives what a promise gives, and calls `late` where it takes longer than so many milliseconds. */
function within<T>(milliseconds: number, late: () => void, promise: Promise<T>): Promise<T> {
	const timer = setTimeout(late, milliseconds);
	return promise.finally(() => clearTimeout(timer));
}

/** The chunks of a body. Not every browser iterates over a stream. */
async function* chunksOf(body: ReadableStream<Uint8Array>, silence: number, late: () => void): AsyncGenerator<Uint8Array> {
	const reader = body.getReader();
	for (;;) {
		const { done, value } = await within(silence, late, reader.read());
		if (done) return;
		yield value;
	}
}

/**
 * Gives every event of a stream after the event `after`, each once and in order, live until the last. When the connection breaks, it connects again
 * and goes on where it was. Ends without an error once the signal is aborted.
 */
export async function* follow<Event>(
	connection: Connection,
	{ path, isLast }: Followed<Event>,
	options: FollowOptions = {},
): AsyncGenerator<Event, void, undefined> {
	const { signal, attempts = 20, delay = 250, silence = 45_000, onConnection } = options;
	let after = options.after;
	let failures = 0;
	let state: 'open' | 'lost' | null = null;
	const become = (next: 'open' | 'lost') => {
		if (state !== next) onConnection?.(next);
		state = next;
	};
	while (!signal?.aborted) {
		// It ends with the signal, when nothing comes, and when the caller leaves its loop.
		const attempt = new AbortController();
		const end = () => attempt.abort(signal?.reason);
		signal?.addEventListener('abort', end);
		const late = () => attempt.abort(new SteelyardError('unreachable', `Nothing came from ${path} for ${silence / 1000} s`, 0));
		try {
			const headers = { accept: 'text/event-stream', ...(after === undefined ? {} : { 'last-event-id': after }) };
			const response = await within(silence, late, connection('GET', path, { headers, signal: attempt.signal }));
			failures = 0;
			// With 204 the service says that nothing more will come.
			if (response.status === 204 || response.body === null) return;
			become('open');
			let last = false;
			for await (const { id, data } of serverSentEvents(chunksOf(response.body, silence, late))) {
				const event = JSON.parse(data) as Event;
				after = id ?? after;
				yield event;
				last = isLast(event);
			}
			if (last) return;
		} catch (error) {
			if (signal?.aborted) return;
			become('lost');
			if (!mayPass(error) || failures >= attempts) throw error;
		} finally {
			signal?.removeEventListener('abort', end);
			attempt.abort();
		}
		become('lost');
		failures++;
		await pause(Math.min(LONGEST_DELAY, delay * 2 ** (failures - 1)), signal);
	}
}
