import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ProblemError } from '@steelyard/contracts';
import { syncFolder } from '../sync-folder.js';
import { arrive, type CachedFile, contentOf } from './arrival.js';
import { absent, type IdentityOf, openLeases } from './leases.js';

/** A folder that stays until it is released. */
export type HeldFolder = { path: string; release(): Promise<void> };

/** A folder of files that never change, kept on this machine for as long as there is room. */
export type ContentCache = {
	/**
	 * Gives a folder that holds these files and nothing else, which may be read and mapped but not changed. They are read where they are not kept yet, and stay until they are released.
	 * An abort ends the wait for them, with its reason; they go on arriving. Throws ProblemError: `unavailable` where a file has not the bytes that were named, `too_large` where they are
	 * more than it takes, `insufficient_storage` where what is in use leaves no room.
	 */
	take(files: readonly CachedFile[], signal?: AbortSignal): Promise<HeldFolder>;
	/** The bytes that are kept, and those of what is arriving. */
	bytes(): Promise<number>;
};

export type ContentCacheOptions = {
	/** Of this machine; several processes may share it. */
	folder: string;
	/** The most bytes that are kept. */
	most: number;
	/** How processes are told apart. */
	identityOf: IdentityOf;
};

/** Milliseconds between two looks whether others have ended their removal. */
const LOOK_EVERY = 5;

/** A folder that is kept, by its path, or one that arrives. Its name is `<content or lease>-<bytes>`. */
type Kept = { path: string; id: string; bytes: number };

/**
 * Opens a cache. What is kept is named by what it holds. What was used longest ago goes first.
 *
 * Processes share it without a lock. Who uses a folder marks it before looking at it, and who removes one marks that before looking at the uses: of a user and a remover at the same time at
 * least one sees the other. A remover leaves alone what is in use; a user waits until no removal is under way, which is the time of a few renames.
 */
export async function openContentCache({ folder, most, identityOf }: ContentCacheOptions): Promise<ContentCache> {
	const [kept, arriving, leaving] = ['kept', 'arriving', 'leaving'].map((name) => join(folder, name)) as [string, string, string];
	for (const each of [kept, arriving, leaving]) await mkdir(each, { recursive: true, mode: 0o700 });
	const uses = await openLeases(join(folder, 'uses'), identityOf);
	const removals = await openLeases(join(folder, 'removals'), identityOf);
	/** What this process is reading, by content. */
	const underWay = new Map<string, Promise<void>>();

	async function foldersIn(where: string): Promise<Kept[]> {
		const names = await readdir(where);
		return names.map((name) => {
			const cut = name.lastIndexOf('-');
			return { path: join(where, name), id: name.slice(0, cut), bytes: Number(name.slice(cut + 1)) };
		});
	}

	async function bytes(): Promise<number> {
		const all = [...(await foldersIn(kept)), ...(await foldersIn(arriving))];
		return all.reduce((sum, one) => sum + one.bytes, 0);
	}

	/** Removes what killed processes were reading and removing. */
	async function clear(): Promise<void> {
		const [reading, removing] = [await foldersIn(arriving), await foldersIn(leaving)];
		const [living, removers] = [await uses.living(), await removals.living()];
		for (const { path, id } of reading) if (!living.has(id)) await rm(path, { recursive: true, force: true });
		for (const { path, id } of removing) if (!removers.has(id)) await rm(path, { recursive: true, force: true });
	}

	/** Removes what was used longest ago and is not in use, until there are no more bytes than `most`. */
	async function makeRoom(): Promise<void> {
		if ((await bytes()) <= most) return;
		await clear();
		const removal = await removals.take('all');
		const gone: string[] = [];
		try {
			const used = new Set((await uses.living()).values());
			const idle: (Kept & { usedAt: number })[] = [];
			for (const one of await foldersIn(kept)) {
				const known = used.has(one.id) ? null : await stat(one.path).catch(absent);
				if (known !== null) idle.push({ ...one, usedAt: known.mtimeMs });
			}
			idle.sort((a, b) => a.usedAt - b.usedAt);
			for (const { path } of idle) {
				if ((await bytes()) <= most) break;
				const aside = join(leaving, `${removal.id}-${gone.length}`);
				// Another process may have removed it meanwhile.
				if ((await rename(path, aside).then(() => true, absent)) !== null) gone.push(aside);
			}
		} finally {
			await removal.release();
		}
		for (const path of gone) await rm(path, { recursive: true, force: true });
	}

	/** Reads files into a new folder, and gives it its name when it is whole. */
	async function bring(files: readonly CachedFile[], to: string, size: number, lease: string): Promise<void> {
		if (size > most)
			throw new ProblemError('too_large', `The files have ${size} bytes, and the cache in which they must lie takes ${most}`);
		const from = join(arriving, `${lease}-${size}`);
		// It is there before the room is counted, so that two that arrive together know of each other.
		await mkdir(from, { mode: 0o700 });
		try {
			await makeRoom();
			const total = await bytes();
			if (total > most)
				throw new ProblemError(
					'insufficient_storage',
					`The cache takes ${most} bytes, of which ${total - size} are in use, too many for ${size} more`,
				);
			for (const file of files) await arrive(from, file);
			await syncFolder(from);
			const isFirst = await rename(from, to).then(
				() => true,
				(error: NodeJS.ErrnoException) => {
					// Another process has brought the same.
					if (error.code === 'ENOTEMPTY' || error.code === 'EEXIST') return false;
					throw error;
				},
			);
			if (isFirst) return;
		} catch (error) {
			await rm(from, { recursive: true, force: true });
			throw error;
		}
		await rm(from, { recursive: true, force: true });
	}

	await clear();

	return {
		bytes,
		async take(files, signal) {
			signal?.throwIfAborted();
			const content = contentOf(files);
			const size = files.reduce((sum, file) => sum + file.bytes, 0);
			const path = join(kept, `${content}-${size}`);
			const lease = await uses.take(content);
			let arrival: Promise<void> | null = null;
			try {
				while ((await removals.living()).size > 0) await delay(LOOK_EVERY);
				if ((await stat(path).catch(absent)) === null) {
					let bringing = underWay.get(content);
					if (bringing === undefined) {
						bringing = bring(files, path, size, lease.id).finally(() => underWay.delete(content));
						underWay.set(content, bringing);
					}
					arrival = bringing;
					await orAborted(bringing, signal);
				}
				const now = new Date();
				await utimes(path, now, now);
			} catch (error) {
				// What still arrives after an abort lies under this lease.
				const released = Promise.allSettled([arrival]).then(() => lease.release());
				if (signal?.aborted) released.catch(() => {});
				else await released;
				throw error;
			}
			return { path, release: () => lease.release() };
		},
	};
}

/** What a promise comes to, unless the signal is aborted before: then its reason is thrown. */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
	if (signal === undefined) return promise;
	let abort = () => {};
	const aborted = new Promise<never>((_, reject) => {
		abort = () => reject(signal.reason);
		signal.addEventListener('abort', abort, { once: true });
	});
	try {
		return await Promise.race([promise, aborted]);
	} finally {
		signal.removeEventListener('abort', abort);
	}
}
