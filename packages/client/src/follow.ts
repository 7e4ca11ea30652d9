import type { JobEvent } from '@steelyard/contracts';
import type { Connection } from './connection.js';
import { SteelyardError } from './error.js';
import { pause } from './pause.js';
import { serverSentEvents } from './server-sent-events.js';

export type FollowOptions = {
	/** Id of the last event already seen; the start of the job unless given. */
	after?: string;
	signal?: AbortSignal;
	/** Failures in a row after which it gives up; 20 unless given. An answer that says no (4xx) is never tried again. */
	attempts?: number;
	/** Milliseconds before the first new attempt; doubles up to 5 s. 250 unless given. */
	delay?: number;
};

const LONGEST_DELAY = 5000;
const final = (event: JobEvent) => event.type === 'status' && ['succeeded', 'failed', 'cancelled'].includes(event.status);

/** Whether a new attempt may go better: no answer, a proxy's answer, or a server that says it is not well. */
const passing = (error: unknown) => !(error instanceof SteelyardError) || error.status === 0 || error.status >= 500;

/** Every event of a job after `after`, each once and in order, live until its final status. A cut connection is taken up again where it broke off. Ends quietly when the signal aborts. */
export async function* follow(connection: Connection, id: string, options: FollowOptions = {}): AsyncGenerator<JobEvent, void, undefined> {
	const { signal, attempts = 20, delay = 250 } = options;
	let after = options.after;
	let failures = 0;
	// Leaving the loop of the caller must also end the request that stands open.
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
				// 204 is how a server tells an event source that nothing more will come.
				if (response.status === 204 || response.body === null) return;
				for await (const { id: eventId, data } of serverSentEvents(response.body)) {
					const event = JSON.parse(data) as JobEvent;
					after = eventId ?? event.id;
					yield event;
					if (final(event)) return;
				}
			} catch (error) {
				if (signal?.aborted) return;
				if (!passing(error) || failures >= attempts) throw error;
			}
			failures++;
			await pause(Math.min(LONGEST_DELAY, delay * 2 ** (failures - 1)), signal);
		}
	} finally {
		left.abort();
	}
}
