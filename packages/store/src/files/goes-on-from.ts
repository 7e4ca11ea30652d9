import { jobKeys } from '../layout.js';
import type { Store } from '../store.js';

/** Whether a file below the folder of checkpoints, by its path there, is a whole checkpoint: `<number>.safetensors`, also in a folder of its own. */
export const isCheckpointFile = (path: string): boolean => /(^|\/)\d+\.safetensors$/.test(path);

/** The number of a checkpoint; later ones have higher numbers. */
export const numberOf = (path: string): number => Number.parseInt(path.slice(path.lastIndexOf('/') + 1), 10);

/** The folder of a path with its `/`; empty where it has none. */
export const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);

/**
 * The keys of what a job goes on from, of these attempts, which are given newest first: the newest checkpoint, and, of a job that chooses its weighting, that of each candidate and what is noted of
 * it, which lie in folders of their own.
 */
export async function goesOnFrom(store: Store, id: string, attempts: readonly number[]): Promise<Set<string>> {
	const kept = new Map<string, string>();
	for (const attempt of attempts) {
		const prefix = `${jobKeys.checkpoints(id, attempt)}/`;
		const newest = new Map<string, string>();
		for (const key of await store.list(jobKeys.checkpoints(id, attempt))) {
			const path = key.slice(prefix.length);
			const place = isCheckpointFile(path) ? folderOf(path) : path.endsWith('.json') ? path : null;
			if (place === null || kept.has(place)) continue;
			const other = newest.get(place);
			if (other === undefined || numberOf(key) > numberOf(other)) newest.set(place, key);
		}
		for (const [place, key] of newest) kept.set(place, key);
	}
	return new Set(kept.values());
}
