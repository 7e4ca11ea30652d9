import type { Store } from '@steelyard/store';

/** Where one attempt writes, and nobody else. */
export const attemptKey = (id: string, attempt: number): string => `jobs/${id}/attempts/${attempt}`;

const crashKey = (id: string, attempt: number): string => `${attemptKey(id, attempt)}/crash.json`;

/** Attempts that have a folder, newest first. */
async function attemptsOf(store: Store, id: string): Promise<number[]> {
	const names = await store.list(`jobs/${id}/attempts`, { deep: false });
	return names
		.map((name) => Number(/\/(\d+)\/$/.exec(name)?.[1]))
		.filter(Number.isInteger)
		.sort((a, b) => b - a);
}

/** Folders of the attempts before this one, newest first: where their checkpoints are. */
export async function earlierFolders(store: Store, id: string, attempt: number): Promise<string[]> {
	return (await attemptsOf(store, id)).filter((other) => other < attempt).map((other) => store.path(attemptKey(id, other)));
}

/** Keeps how an attempt's trainer crashed. Crashes are counted apart from attempts, of which a restart of the worker makes more. */
export async function noteCrash(store: Store, id: string, attempt: number, crash: object): Promise<void> {
	await store.put(crashKey(id, attempt), `${JSON.stringify(crash)}\n`);
}

export async function countCrashes(store: Store, id: string): Promise<number> {
	let count = 0;
	for (const attempt of await attemptsOf(store, id)) if ((await store.stat(crashKey(id, attempt))) !== null) count++;
	return count;
}

/** A job that has ended is never resumed: its checkpoints go. */
export async function removeCheckpoints(store: Store, id: string): Promise<void> {
	for (const attempt of await attemptsOf(store, id)) await store.remove(`${attemptKey(id, attempt)}/checkpoints`);
}
