import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Store } from '@steelyard/store';

/** A folder of an upload that nothing has touched for so long, in milliseconds, belongs to a process that was killed. */
const ABANDONED = 24 * 3600 * 1000;

/** Where what is uploaded lies until it is whole. */
export type UploadFolders = {
	/** Runs an action with a folder of its own, which is gone when the action has ended. */
	within<T>(id: string, action: (folder: string) => Promise<T>): Promise<T>;
	/** Has a folder appear under a key of the store as a whole, and lastingly. */
	publish(folder: string, key: string): Promise<void>;
};

/** Has the files of a folder, and then its list of names, on the disk. */
async function sync(folder: string, names: readonly string[]): Promise<void> {
	for (const name of [...names, '.']) {
		const file = await open(join(folder, name), 'r');
		try {
			await file.sync();
		} finally {
			await file.close();
		}
	}
}

export function createUploadFolders(store: Store): UploadFolders {
	const uploads = store.path('uploads');

	async function removeAbandoned(): Promise<void> {
		for (const name of await readdir(uploads).catch(() => [])) {
			const folder = join(uploads, name);
			// Another upload may have ended meanwhile.
			const found = await stat(folder).catch(() => null);
			if (found !== null && Date.now() - found.mtimeMs > ABANDONED) await rm(folder, { recursive: true, force: true });
		}
	}

	return {
		async within(id, action) {
			await removeAbandoned();
			const folder = join(uploads, id);
			await mkdir(folder, { recursive: true });
			try {
				return await action(folder);
			} finally {
				await rm(folder, { recursive: true, force: true });
			}
		},
		async publish(folder, key) {
			const target = store.path(key);
			await mkdir(dirname(target), { recursive: true });
			await sync(folder, await readdir(folder));
			await rename(folder, target);
			await sync(dirname(target), []);
		},
	};
}
