import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { jobKeys } from '../layout.js';
import type { Store } from '../store.js';

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
const numberOf = (name: string): number => Number.parseInt(name, 10);

/** The names of the checkpoints in a folder, which appear whole there; the oldest first. */
async function checkpointsIn(folder: string): Promise<string[]> {
	const names = await readdir(folder).catch((error: unknown) => {
		if (isAbsent(error)) return [];
		throw error;
	});
	return names.filter((name) => /^\d+\.safetensors$/.test(name)).sort((a, b) => numberOf(a) - numberOf(b));
}

/** Copies the checkpoints that a trainer writes to the store, behind it: it waits for none, and of several that it writes meanwhile only the newest is copied. */
export function keepCheckpoints({ store, folder, id, attempt, trouble }: Options): KeptCheckpoints {
	let copied: string[] = [];
	let copying: Promise<void> | null = null;

	/** Copies the newest checkpoint, if it is not there yet. */
	async function copy(): Promise<void> {
		const newest = (await checkpointsIn(folder)).at(-1);
		if (newest === undefined || copied.includes(newest)) return;
		const keyOf = (name: string) => `${jobKeys.checkpoints(id, attempt)}/${name}`;
		await store.put(keyOf(newest), createReadStream(join(folder, newest)));
		copied.push(newest);
		for (const old of copied.slice(0, -KEPT)) await store.remove(keyOf(old));
		copied = copied.slice(-KEPT);
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
