import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { folders, jobKeys, listAttempts } from '../layout.js';
import type { Store } from '../store.js';
import { syncFolder } from '../sync-folder.js';
import { spaceOfDisk } from './disk.js';
import type { Appender, StoreFiles } from './files.js';

/** Sees that what was written to a file without the store is on the disk. */
async function sync(path: string): Promise<void> {
	const file = await open(path, 'r+');
	try {
		await file.sync();
	} finally {
		await file.close();
	}
}

function openAppender(path: string): Appender {
	let file: FileHandle | null = null;
	const opened = async () => {
		await mkdir(dirname(path), { recursive: true, mode: 0o700 });
		return open(path, 'a', 0o600);
	};
	return {
		async add(text) {
			file ??= await opened();
			await file.appendFile(text);
		},
		async flush() {},
		async close() {
			await file?.close();
		},
	};
}

type Parts = { root: string; store: Store; pathOf(key: string): string };

/** The files of a store that is a folder of this machine: its own. */
export function filesInPlace({ root, store, pathOf }: Parts): StoreFiles {
	return {
		roots: [root],
		uploads: pathOf(folders.uploads),
		appendsTogether: true,
		space: () => spaceOfDisk(root),
		withFolder: (prefix, action) => action(pathOf(prefix)),
		withFile: (key, _digest, action) => action(pathOf(key)),
		async publish(folder, prefix) {
			const target = pathOf(prefix);
			await mkdir(dirname(target), { recursive: true });
			for (const name of await readdir(folder)) await sync(join(folder, name));
			await syncFolder(folder);
			await rename(folder, target);
			await syncFolder(dirname(target));
		},
		async replace(prefix, name, path) {
			await store.put(`${prefix}/${name}`, createReadStream(path));
		},
		async openAttempt(id, attempt) {
			const prefix = jobKeys.attempt(id, attempt);
			const path = pathOf(prefix);
			await mkdir(path, { recursive: true });
			const before = (await listAttempts(store, id)).filter((other) => other < attempt);
			return {
				path,
				earlier: before.map((other) => pathOf(jobKeys.attempt(id, other))),
				async keep(name) {
					await sync(join(path, name));
					const digest = await store.digest(`${prefix}/${name}`);
					if (digest === null) throw new Error(`there is no file ${name} in ${prefix}`);
					return digest;
				},
				async close() {},
			};
		},
		openAppender: (key) => openAppender(pathOf(key)),
	};
}
