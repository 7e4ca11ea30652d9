import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { CachedFile } from '../cache/arrival.js';
import { openContentCache } from '../cache/content-cache.js';
import { type IdentityOf, openLeases } from '../cache/leases.js';
import { type Digest, digestOf } from '../digest.js';
import { jobKeys, listAttempts } from '../layout.js';
import { makeFolder } from '../make-folder.js';
import type { Store } from '../store.js';
import { type Patience, whenPossible } from '../when-possible.js';
import { filesBelow, removeContents, writeContents } from './contents.js';
import { spaceOfDisk } from './disk.js';
import type { StoreFiles } from './files.js';
import { goesOnFrom } from './goes-on-from.js';
import { keepCheckpoints } from './kept-checkpoints.js';
import { openWholeText } from './whole-text.js';

export type CopiesOptions = {
	/** A folder of this machine, which several processes may share. */
	folder: string;
	/** The most bytes of datasets and models that are kept. */
	most: number;
	/** How processes are told apart. */
	identityOf: IdentityOf;
};

/** The files of a store that is elsewhere: copies of datasets and models in a cache, and a folder of this process for its work. */
export async function filesAsCopies(store: Store, { folder, most, identityOf }: CopiesOptions): Promise<StoreFiles> {
	await makeFolder(folder);
	const cache = await openContentCache({ folder: join(folder, 'cache'), most, identityOf });
	const work = join(folder, 'work');
	await mkdir(work, { recursive: true, mode: 0o700 });
	const leases = await openLeases(join(folder, 'processes'), identityOf);
	const own = await leases.take('work');
	// What killed processes were working on. The store has their checkpoints. One that starts meanwhile has its lease before its folder.
	const found = await readdir(work);
	const living = await leases.living();
	for (const name of found) if (!living.has(name)) await rm(join(work, name), { recursive: true, force: true });

	/** Copies what a job goes on from of the attempts before this one; gives the folders of those attempts that have any of it, newest first. */
	async function bringCheckpoints(id: string, attempt: number, to: string): Promise<string[]> {
		const before = (await listAttempts(store, id)).filter((other) => other < attempt);
		const keys = [...(await goesOnFrom(store, id, before))];
		for (const key of keys) {
			const path = join(to, key.slice(jobKeys.attempts(id).length + 1));
			await mkdir(dirname(path), { recursive: true });
			await pipeline(await store.read(key), createWriteStream(path));
		}
		return before
			.filter((other) => keys.some((key) => key.startsWith(`${jobKeys.attempt(id, other)}/`)))
			.map((other) => join(to, String(other)));
	}

	/** Runs an action with a folder of copies, which are brought first. */
	async function withCopies<T>(
		filesOf: () => Promise<CachedFile[]>,
		action: (folder: string) => Promise<T>,
		patience: Patience | undefined,
	): Promise<T> {
		const take = async () => cache.take(await filesOf(), patience?.signal);
		const { path, release } = await (patience === undefined ? take() : whenPossible(take, patience));
		try {
			return await action(path);
		} finally {
			await release();
		}
	}

	const put = (key: string, path: string): Promise<Digest> => store.put(key, createReadStream(path));

	return {
		roots: [folder],
		uploads: join(work, own.id, 'uploads'),
		appendsTogether: false,
		space: () => spaceOfDisk(folder),
		withFolder: (prefix, action, patience) => withCopies(() => filesBelow(store, prefix), action, patience),
		withFile(key, digest, action, patience) {
			const name = key.slice(key.lastIndexOf('/') + 1);
			if (digest === null) return action(join(work, own.id, 'absent', name));
			const file = { name, ...digest, read: () => store.read(key) };
			return withCopies(
				async () => [file],
				(found) => action(join(found, name)),
				patience,
			);
		},
		async publish(from, prefix, record) {
			const last = await readFile(join(from, record));
			const contents = { [record]: digestOf(last) };
			for (const name of await readdir(from)) if (name !== record) contents[name] = await put(`${prefix}/${name}`, join(from, name));
			await writeContents(store, prefix, contents);
			await store.put(`${prefix}/${record}`, last);
		},
		async replace(prefix, name, path) {
			// Where this process is killed in between, what the folder holds is found out again.
			await removeContents(store, prefix);
			await put(`${prefix}/${name}`, path);
		},
		async openAttempt(id, attempt, trouble) {
			const whole = join(work, own.id, `${id}-${attempt}`);
			const path = join(whole, 'own');
			await rm(whole, { recursive: true, force: true });
			await mkdir(path, { recursive: true, mode: 0o700 });
			const earlier = await bringCheckpoints(id, attempt, join(whole, 'earlier'));
			const checkpoints = keepCheckpoints({ store, folder: join(path, 'checkpoints'), id, attempt, trouble });
			return {
				path,
				earlier,
				keep: (name) => put(`${jobKeys.attempt(id, attempt)}/${name}`, join(path, name)),
				async close(resumable) {
					await checkpoints.close(resumable);
					await rm(whole, { recursive: true, force: true });
				},
			};
		},
		openAppender: (key) => openWholeText(store, key),
	};
}
