import { setTimeout as delay } from 'node:timers/promises';
import { type JobError, ProblemError } from '@steelyard/contracts';

/** Milliseconds before the first new try; each further wait is twice as long, up to the longest. */
const FIRST = 250;
const LONGEST = 8000;
/** Milliseconds between two questions whether to stop. */
const ASK = 100;

/** Whether an error says that no space is left, on the disk or of the user's share of it. */
export function isFull(error: unknown): boolean {
	const code = (error as { code?: unknown } | null)?.code;
	return code === 'ENOSPC' || code === 'EDQUOT' || code === 'insufficient_storage';
}

/** Whether an error may pass: no space is left, or what keeps the bytes or the jobs cannot be reached. */
export const mayPass = (error: unknown): boolean => isFull(error) || (error instanceof ProblemError && error.code === 'unavailable');

export type WaitOptions = {
	/** Asked while it waits; true ends the wait. */
	stopped(): boolean;
	/** Called with the reason when a wait begins, and with null when it was done. */
	waiting(reason: JobError | null): void;
};

/** How somebody waits who can also be interrupted. */
export type Patience = WaitOptions & { signal: AbortSignal };

/** What a job waits for, as its user reads it. */
const reasonOf = (error: unknown): JobError =>
	isFull(error)
		? { code: 'insufficient_storage', message: 'No space is left on the disk; the job goes on when there is room again', param: null }
		: { code: 'unavailable', message: `${(error as Error).message}; the job goes on when that has passed`, param: null };

/** Does what reads or writes the store, and does it again while there is no room or the store cannot be reached. Rejects with that error where it is to stop meanwhile. */
export async function whenPossible<T>(write: () => Promise<T>, { stopped, waiting }: WaitOptions): Promise<T> {
	let waits = false;
	for (let pause = FIRST; ; pause = Math.min(2 * pause, LONGEST)) {
		try {
			const written = await write();
			if (waits) waiting(null);
			return written;
		} catch (error) {
			if (!mayPass(error)) throw error;
			if (!waits) waiting(reasonOf(error));
			waits = true;
			for (let waited = 0; waited < pause; waited += ASK) {
				if (stopped()) throw error;
				await delay(ASK);
			}
		}
	}
}
