import { jobKeys, listAttempts, type Store } from '@steelyard/store';

/** The folders of the attempts before this one, newest first, in which their checkpoints are. */
export async function earlierFolders(store: Store, id: string, attempt: number): Promise<string[]> {
	return (await listAttempts(store, id)).filter((other) => other < attempt).map((other) => store.path(jobKeys.attempt(id, other)));
}

/** Notes how the trainer of an attempt crashed. Crashes are counted apart from attempts, because a restart of the worker makes a new attempt too. */
export async function noteCrash(store: Store, id: string, attempt: number, crash: object): Promise<void> {
	await store.put(jobKeys.crash(id, attempt), `${JSON.stringify(crash)}\n`);
}

/** In how many attempts of a job the trainer crashed. */
export async function countCrashes(store: Store, id: string): Promise<number> {
	let count = 0;
	for (const attempt of await listAttempts(store, id)) if ((await store.stat(jobKeys.crash(id, attempt))) !== null) count++;
	return count;
}

/** Removes the checkpoints of a job that has ended, which is never resumed. */
export async function removeCheckpoints(store: Store, id: string): Promise<void> {
	for (const attempt of await listAttempts(store, id)) await store.remove(jobKeys.checkpoints(id, attempt));
}
