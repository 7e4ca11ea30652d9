import { mkdir, readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoreFiles } from '@steelyard/store';

/** After how many milliseconds without a change the folder of an upload is removed: the process that it belonged to was killed. */
const ABANDONED = 3600 * 1000;
/** How often a folder in use is marked so, in milliseconds. */
const IN_USE = ABANDONED / 6;

/** The folders in which uploads lie until they are complete. */
export type UploadFolders = {
	/** Runs an action with a new folder, and removes the folder when the action has ended. */
	within<T>(id: string, action: (folder: string) => Promise<T>): Promise<T>;
};

/** Makes folders for uploads among the files of a store. */
export function createUploadFolders({ uploads }: Pick<StoreFiles, 'uploads'>): UploadFolders {
	async function removeAbandoned(): Promise<void> {
		for (const name of await readdir(uploads).catch(() => [])) {
			const folder = join(uploads, name);
			// Another request may have removed it meanwhile.
			const found = await stat(folder).catch(() => null);
			if (found !== null && Date.now() - found.mtimeMs > ABANDONED) await rm(folder, { recursive: true, force: true });
		}
	}

	return {
		async within(id, action) {
			await removeAbandoned();
			const folder = join(uploads, id);
			await mkdir(folder, { recursive: true });
			// An upload may come slowly, or wait long for its turn to be read.
			const marking = setInterval(() => {
				const now = new Date();
				utimes(folder, now, now).catch(() => {});
			}, IN_USE).unref();
			try {
				return await action(folder);
			} finally {
				clearInterval(marking);
				await rm(folder, { recursive: true, force: true });
			}
		},
	};
}
