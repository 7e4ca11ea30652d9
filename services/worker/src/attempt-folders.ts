import type { JobResource } from '@steelyard/contracts';
import { goesOnFrom, jobKeys, listAttempts, type Store } from '@steelyard/store';

/** Leaves of the attempts of a job alone what it goes on from. */
async function keepCheckpoint(store: Store, { id, attempt: last }: JobResource): Promise<void> {
	// An attempt that was begun since, of a job that was resumed, is none of ours.
	const attempts = (await listAttempts(store, id)).filter((attempt) => attempt <= last);
	const kept = await goesOnFrom(store, id, attempts);
	for (const attempt of attempts) {
		const keys = await store.list(jobKeys.attempt(id, attempt));
		if (keys.some((key) => kept.has(key))) for (const key of keys.filter((one) => !kept.has(one))) await store.remove(key);
		else await store.remove(jobKeys.attempt(id, attempt));
	}
}

/**
 * Removes what the attempts of a job that has ended have left and nobody needs: all but the artifacts of one that succeeded, and but the newest checkpoint of one
 * that was cancelled, from which it can be resumed, or that ran out of time.
 */
export async function clearAttempts(store: Store, job: JobResource): Promise<void> {
	const { id, status, attempt, error } = job;
	if (status === 'failed' && error?.code !== 'time_limit') return store.remove(jobKeys.attempts(id));
	if (status === 'succeeded') {
		for (const other of await listAttempts(store, id)) if (other !== attempt) await store.remove(jobKeys.attempt(id, other));
		return store.remove(jobKeys.checkpoints(id, attempt));
	}
	await keepCheckpoint(store, job);
}
