import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, link, open, readdir, readFile, rename, rm, stat, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join, resolve, sep } from 'node:path';
import { Readable } from 'node:stream';
import { ProblemError } from '@steelyard/contracts';
import type { Digest } from './digest.js';
import { filesInPlace } from './files/in-place.js';
import { namesOf } from './key.js';
import { makeFolder } from './make-folder.js';
import type { LocalStore, Store, StoredEntry, StoredObject } from './store.js';
import { syncFolder } from './sync-folder.js';

/** The folder of files that are being written. No key begins with a dot. */
const TEMPORARY = '.tmp';

/** The age, in milliseconds, after which a temporary file of another host is taken for that of a killed process. */
const ABANDONED = 24 * 60 * 60 * 1000;

/** Distinguishes this process from an earlier one with the same id, as there is in a container that was started again. */
const LIFE = randomUUID().slice(0, 8);
/** How many temporary files this process has made, for all stores. */
let made = 0;
const HOST = hostname().replace(/[^A-Za-z0-9-]/g, '-');

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException | null)?.code;
const isAbsent = (error: unknown) => codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';

function orNull(error: unknown): null {
	if (isAbsent(error)) return null;
	throw error;
}

function isAlive(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return codeOf(error) === 'EPERM';
	}
}

async function isLeftover(folder: string, name: string): Promise<boolean> {
	const [host, pid, life] = name.split('.');
	if (host === HOST) return Number(pid) === process.pid ? life !== LIFE : !isAlive(Number(pid));
	const known = await stat(join(folder, name)).catch(orNull);
	return known !== null && Date.now() - known.mtimeMs > ABANDONED;
}

async function write(handle: FileHandle, content: Uint8Array | string | Readable): Promise<Digest> {
	const hash = createHash('sha256');
	let bytes = 0;
	const chunks: AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string> = content instanceof Readable ? content : [content];
	for await (const chunk of chunks) {
		const part = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
		hash.update(part);
		bytes += part.byteLength;
		await handle.writeFile(part);
	}
	await handle.sync();
	return { bytes, sha256: hash.digest('hex') };
}

/** Opens a folder as a store, which several processes may have open. Makes it where it is absent, and removes what killed processes were writing. */
export async function openStore(folder: string): Promise<LocalStore> {
	const root = resolve(folder);
	const temporary = join(root, TEMPORARY);

	const pathOf = (key: string) => join(root, ...namesOf(key));

	/** Writes content to a temporary file and has `place` give it its name. Leaves nothing behind where either fails. */
	async function placed<T>(
		key: string,
		content: Uint8Array | string | Readable,
		place: (from: string, to: string, digest: Digest) => Promise<T>,
	): Promise<T> {
		const to = pathOf(key);
		// Without a listener, a stream that breaks before it is read would end the process. Reading it then gives the error.
		if (content instanceof Readable) content.on('error', () => {});
		const from = join(temporary, `${HOST}.${process.pid}.${LIFE}.${++made}`);
		try {
			const handle = await open(from, 'wx').catch(async (error: unknown) => {
				if (!isAbsent(error)) throw error;
				await makeFolder(temporary);
				return open(from, 'wx');
			});
			let digest: Digest;
			try {
				digest = await write(handle, content);
			} finally {
				await handle.close();
			}
			await makeFolder(dirname(to));
			const result = await place(from, to, digest);
			await syncFolder(dirname(to));
			return result;
		} catch (error) {
			await rm(from, { force: true });
			if (codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT') {
				throw new ProblemError('insufficient_storage', `No space is left to write ${key} (${codeOf(error)})`);
			}
			throw error;
		} finally {
			if (content instanceof Readable) content.destroy();
		}
	}

	async function statOf(key: string): Promise<StoredObject | null> {
		const known = await stat(pathOf(key)).catch(orNull);
		return known?.isFile() ? { bytes: known.size, modified: known.mtime } : null;
	}

	async function walk(path: string, key: string, deep: boolean, found: string[]): Promise<void> {
		for (const entry of (await readdir(path, { withFileTypes: true }).catch(orNull)) ?? []) {
			if (entry.name.startsWith('.')) continue;
			const name = key === '' ? entry.name : `${key}/${entry.name}`;
			if (entry.isFile()) found.push(name);
			else if (entry.isDirectory() && deep) await walk(join(path, entry.name), name, deep, found);
			else if (entry.isDirectory()) found.push(`${name}/`);
		}
	}

	async function measured(path: string, key: string): Promise<StoredEntry[]> {
		const found: StoredEntry[] = [];
		for (const entry of (await readdir(path, { withFileTypes: true }).catch(orNull)) ?? []) {
			const inner = join(path, entry.name);
			const known = await stat(inner).catch(orNull);
			if (known === null) continue;
			const name = `${key}/${entry.name}`;
			if (entry.isFile()) found.push({ key: name, bytes: known.size, modified: known.mtime });
			else if (entry.isDirectory()) found.push({ key: `${name}/`, bytes: 0, modified: known.mtime }, ...(await measured(inner, name)));
		}
		return found;
	}

	await makeFolder(temporary);
	for (const name of await readdir(temporary))
		if (await isLeftover(temporary, name)) await rm(join(temporary, name), { force: true, recursive: true });

	const store: Store = {
		put(key, content) {
			return placed(key, content, async (from, to, digest) => {
				await rename(from, to);
				return digest;
			});
		},
		putExclusive(key, content) {
			// A link appears whole or not at all. A file that was opened exclusively could be seen while it is written.
			return placed(key, content, async (from, to, digest) => {
				const isFirst = await link(from, to).then(
					() => true,
					(error: unknown) => {
						if (codeOf(error) === 'EEXIST') return false;
						throw error;
					},
				);
				await unlink(from);
				return isFirst ? digest : null;
			});
		},
		async get(key) {
			return (await statOf(key)) === null ? null : readFile(pathOf(key)).catch(orNull);
		},
		stat: statOf,
		async digest(key) {
			if ((await statOf(key)) === null) return null;
			const hash = createHash('sha256');
			let bytes = 0;
			for await (const chunk of createReadStream(pathOf(key), { highWaterMark: 1 << 20 })) {
				hash.update(chunk as Buffer);
				bytes += (chunk as Buffer).byteLength;
			}
			return { bytes, sha256: hash.digest('hex') };
		},
		async read(key, range = {}) {
			if ((await statOf(key)) === null) throw new ProblemError('not_found', `There is no ${key}`);
			// Opened at once, so that an object that is removed or replaced meanwhile is still read as it was.
			const handle = await open(pathOf(key));
			return handle.createReadStream({ ...range });
		},
		async list(prefix, { deep = true } = {}) {
			const found: string[] = [];
			await walk(prefix === '' ? root : pathOf(prefix), prefix, deep, found);
			return found.sort();
		},
		entries: (prefix) => measured(pathOf(prefix), prefix),
		temporary: () => measured(temporary, TEMPORARY),
		async move(from, to) {
			const [before, after] = [pathOf(from), pathOf(to)];
			if ((await statOf(from)) === null) return;
			await makeFolder(dirname(after));
			await rename(before, after).catch(orNull);
			await syncFolder(dirname(after));
			await syncFolder(dirname(before));
		},
		async remove(prefix) {
			const path = pathOf(prefix);
			if (!path.startsWith(root + sep)) throw new Error(`${path} lies outside ${root}`);
			// Where another process writes into the folder while it is emptied, it is emptied again, for up to 2 s in all.
			await rm(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 10 });
		},
		presign: async () => null,
	};
	return { ...store, path: pathOf, files: filesInPlace({ root, store, pathOf }) };
}
