import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { jobKeys } from '../layout.js';
import type { Store } from '../store.js';
import { folderOf, isCheckpointFile, numberOf } from './goes-on-from.js';

/** Milliseconds between two looks for a new checkpoint. */
const LOOK_EVERY = 1000;
/** The most checkpoints that stay in the store, as many as a trainer keeps: where the newest is damaged, the one before it serves. */
const KEPT = 2;

/** Copies of the checkpoints of a running attempt in the store. */
export type KeptCheckpoints = {
	/** Stops the copying, after the newest checkpoint where that is wanted. Never rejects. */
	close(newest: boolean): Promise<void>;
};

type Options = { store: Store; folder: string; id: string; attempt: number; trouble(error: unknown): void };

const isAbsent = (error: unknown): boolean => (error as NodeJS.ErrnoException | null)?.code === 'ENOENT';

/** The paths below a folder of the files that a job goes on from, which appear whole there. */
async function filesIn(folder: string): Promise<string[]> {
	const names = await readdir(folder, { recursive: true }).catch((error: unknown) => {
		if (isAbsent(error)) return [];
		throw error;
	});
	return names.filter((name) => isCheckpointFile(name) || name.endsWith('.json'));
}

/** Without the checkpoints that have a newer one in their folder. */
function newestOf(paths: readonly string[]): string[] {
	const isOld = (path: string) => paths.some((other) => folderOf(other) === folderOf(path) && numberOf(other) > numberOf(path));
	return paths.filter((path) => !isCheckpointFile(path) || !isOld(path));
}

/** Copies what a trainer writes to go on from to the store, behind it: it waits for none, and of several checkpoints that it writes meanwhile only the newest is copied. A file does not change. */
export function keepCheckpoints({ store, folder, id, attempt, trouble }: Options): KeptCheckpoints {
	let copied: string[] = [];
	let copying: Promise<void> | null = null;
	const keyOf = (path: string) => `${jobKeys.checkpoints(id, attempt)}/${path}`;

	async function copy(): Promise<void> {
		for (const path of newestOf(await filesIn(folder))) {
			if (copied.includes(path)) continue;
			await store.put(keyOf(path), createReadStream(join(folder, path)));
			copied.push(path);
			const same = copied.filter((other) => isCheckpointFile(other) && folderOf(other) === folderOf(path));
			for (const old of isCheckpointFile(path) ? same.slice(0, -KEPT) : []) {
				await store.remove(keyOf(old));
				copied = copied.filter((other) => other !== old);
			}
		}
	}
	const look = () => {
		// The trainer removes old ones: one that vanished while it was read has a newer one behind it.
		copying ??= copy()
			.catch((error: unknown) => {
				if (!isAbsent(error)) trouble(error);
			})
			.finally(() => {
				copying = null;
			});
		return copying;
	};
	const looking = setInterval(look, LOOK_EVERY);
	looking.unref();
	return {
		async close(newest) {
			clearInterval(looking);
			if (copying !== null) await copying;
			if (newest) await look();
		},
	};
}
