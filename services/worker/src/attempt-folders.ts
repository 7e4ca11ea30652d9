import type { JobResource } from '@steelyard/contracts';
import { jobKeys, type LocalStore, listAttempts } from '@steelyard/store';

/** The folders of the attempts before this one, newest first, in which their checkpoints are. */
export async function earlierFolders(store: LocalStore, id: string, attempt: number): Promise<string[]> {
	return (await listAttempts(store, id)).filter((other) => other < attempt).map((other) => store.path(jobKeys.attempt(id, other)));
}

const numberOf = (key: string): number => Number.parseInt(key.slice(key.lastIndexOf('/') + 1), 10);

/**
 * What a job goes on from, of these attempts, newest first: the newest checkpoint, and, of a job that chooses its weighting, that of each candidate and what is
 * noted of it, which lie in folders of their own.
 */
async function goesOnFrom(store: LocalStore, id: string, attempts: readonly number[]): Promise<Set<string>> {
	const kept = new Map<string, string>();
	for (const attempt of attempts) {
		const prefix = `${jobKeys.checkpoints(id, attempt)}/`;
		const keys = (await store.list(jobKeys.checkpoints(id, attempt))).sort((a, b) => numberOf(b) - numberOf(a));
		for (const key of keys) {
			const path = key.slice(prefix.length);
			if (/(^|\/)\d+\.safetensors$/.test(path)) {
				const folder = path.slice(0, path.lastIndexOf('/') + 1);
				if (!kept.has(folder)) kept.set(folder, key);
			} else if (path.endsWith('.json') && !kept.has(path)) kept.set(path, key);
		}
	}
	return new Set(kept.values());
}

/** Leaves of the attempts of a job alone what it goes on from. */
async function keepCheckpoint(store: LocalStore, { id, attempt: last }: JobResource): Promise<void> {
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
export async function clearAttempts(store: LocalStore, job: JobResource): Promise<void> {
	const { id, status, attempt, error } = job;
	if (status === 'failed' && error?.code !== 'time_limit') return store.remove(jobKeys.attempts(id));
	if (status === 'succeeded') {
		for (const other of await listAttempts(store, id)) if (other !== attempt) await store.remove(jobKeys.attempt(id, other));
		return store.remove(jobKeys.checkpoints(id, attempt));
	}
	await keepCheckpoint(store, job);
}
