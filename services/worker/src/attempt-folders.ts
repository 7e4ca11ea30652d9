import type { JobResource } from '@steelyard/contracts';
import { jobKeys, listAttempts, type Store } from '@steelyard/store';

const numberOf = (key: string): number => Number.parseInt(key.slice(key.lastIndexOf('/') + 1), 10);

/** The newest checkpoint of these attempts, newest first; null where there is none. */
async function newestCheckpoint(store: Store, id: string, attempts: readonly number[]): Promise<{ attempt: number; key: string } | null> {
	for (const attempt of attempts) {
		const keys = (await store.list(jobKeys.checkpoints(id, attempt))).filter((key) => key.endsWith('.safetensors'));
		const key = keys.sort((a, b) => numberOf(b) - numberOf(a))[0];
		if (key !== undefined) return { attempt, key };
	}
	return null;
}

/** Leaves of the attempts of a job its newest checkpoint alone. */
async function keepCheckpoint(store: Store, { id, attempt: last }: JobResource): Promise<void> {
	// An attempt that was begun since, of a job that was resumed, is none of ours.
	const attempts = (await listAttempts(store, id)).filter((attempt) => attempt <= last);
	const kept = await newestCheckpoint(store, id, attempts);
	for (const attempt of attempts) {
		if (attempt !== kept?.attempt) await store.remove(jobKeys.attempt(id, attempt));
		else for (const key of await store.list(jobKeys.attempt(id, attempt))) if (key !== kept.key) await store.remove(key);
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
