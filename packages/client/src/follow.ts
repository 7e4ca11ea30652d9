import type { JobEvent } from '@steelyard/contracts';
import type { Connection } from './connection.js';
import { SteelyardError } from './error.js';
import { pause } from './pause.js';
import { serverSentEvents } from './server-sent-events.js';

/** How the events of a job are followed. */
export type FollowOptions = {
	/** The id of the last event that the caller has seen; all events come unless it is given. */
	after?: string;
	signal?: AbortSignal;
	/** After how many failures in a row it gives up; 20 unless given. It gives up at once if the service refuses the request (4xx). */
	attempts?: number;
	/** Milliseconds before the first new attempt, 250 unless given. Each further wait is twice as long, up to 5 s. */
	delay?: number;
};

const LONGEST_DELAY = 5000;
/** Whether nothing follows after an event, unless the job was resumed. */
const isLast = (event: JobEvent) => event.type === 'status' && ['succeeded', 'failed', 'cancelled'].includes(event.status);

/** Whether a new attempt may succeed, because no answer came, or one of a proxy, or one that says that the service has a fault. */
const mayPass = (error: unknown) => !(error instanceof SteelyardError) || error.status === 0 || error.status >= 500;

/**
 * Gives every event of a job after the event `after`, each once and in order, live until the final status. When the connection breaks, it connects again
 * and goes on where it was. Ends without an error once the signal is aborted.
 */
export async function* follow(connection: Connection, id: string, options: FollowOptions = {}): AsyncGenerator<JobEvent, void, undefined> {
	const { signal, attempts = 20, delay = 250 } = options;
	let after = options.after;
	let failures = 0;
	// When the caller leaves its loop, the open request has to end too.
	const left = new AbortController();
	const either = signal === undefined ? left.signal : AbortSignal.any([signal, left.signal]);
	try {
		while (!signal?.aborted) {
			try {
				const response = await connection('GET', `/v1/jobs/${encodeURIComponent(id)}/events`, {
					headers: { accept: 'text/event-stream', ...(after === undefined ? {} : { 'last-event-id': after }) },
					signal: either,
				});
				failures = 0;
				// With 204 the service says that nothing more will come.
				if (response.status === 204 || response.body === null) return;
				let last = false;
				for await (const { id: eventId, data } of serverSentEvents(response.body)) {
					const event = JSON.parse(data) as JobEvent;
					after = eventId ?? event.id;
					yield event;
					last = isLast(event);
				}
				if (last) return;
			} catch (error) {
				if (signal?.aborted) return;
				if (!mayPass(error) || failures >= attempts) throw error;
			}
			failures++;
			await pause(Math.min(LONGEST_DELAY, delay * 2 ** (failures - 1)), signal);
		}
	} finally {
		left.abort();
	}
}
