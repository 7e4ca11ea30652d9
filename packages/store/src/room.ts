import { setTimeout as delay } from 'node:timers/promises';
import type { JobError } from '@steelyard/contracts';

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

export type RoomOptions = {
	/** Asked while it waits; true ends the wait. */
	stopped(): boolean;
	/** Called with the reason when a wait begins, and with null when there was room. */
	waiting(reason: JobError | null): void;
};

const REASON: JobError = {
	code: 'insufficient_storage',
	message: 'No space is left on the disk; the job goes on when there is room again',
	param: null,
};

/** Does what writes to the disk, and does it again where no space is left, until there is room. Rejects with the error of the disk where it is to stop meanwhile. */
export async function whenThereIsRoom<T>(write: () => Promise<T>, { stopped, waiting }: RoomOptions): Promise<T> {
	let waits = false;
	for (let pause = FIRST; ; pause = Math.min(2 * pause, LONGEST)) {
		try {
			const written = await write();
			if (waits) waiting(null);
			return written;
		} catch (error) {
			if (!isFull(error)) throw error;
			if (!waits) waiting(REASON);
			waits = true;
			for (let waited = 0; waited < pause; waited += ASK) {
				if (stopped()) throw error;
				await delay(ASK);
			}
		}
	}
}
