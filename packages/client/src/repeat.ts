import { SteelyardError } from './error.js';
import { pause } from './pause.js';

/** What a service, or a proxy in front of it, answers that may take the request later. */
const PASSING: ReadonlySet<number> = new Set([429, 502, 503, 504]);
/** Milliseconds before the first repetition where the answer names no time. Each further wait is twice as long. */
const FIRST_WAIT = 250;
/** The longest that a request waits to be repeated, in milliseconds. An answer that asks for more is given to the caller. */
const LONGEST_WAIT = 60_000;

/** Whether a request that failed so may succeed when it is sent again: no answer came, or one that names a passing state. */
const mayPass = (error: unknown): error is SteelyardError =>
	error instanceof SteelyardError && (error.status === 0 || PASSING.has(error.status));

/**
 * Sends a request that does no harm when it arrives twice, and repeats it `retries` times at most where its error may pass. Rejects with the last error, or
 * with the reason of the signal once that is aborted.
 */
export async function repeated<T>(send: () => Promise<T>, retries: number, signal: AbortSignal | undefined): Promise<T> {
	for (let failures = 0; ; failures++) {
		try {
			return await send();
		} catch (error) {
			if (failures >= retries || !mayPass(error)) throw error;
			// The clients of one service, which fail together, must not all come back together.
			const wait = error.retryAfter ?? FIRST_WAIT * 2 ** failures * (0.5 + Math.random());
			if (wait > LONGEST_WAIT) throw error;
			await pause(wait, signal);
			signal?.throwIfAborted();
		}
	}
}
