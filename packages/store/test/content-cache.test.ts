import { type ChildProcess, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CachedFile, type ContentCache, openContentCache } from '../src/index.js';

const USER = fileURLToPath(new URL('fixtures/cache-user.mjs', import.meta.url));

let folder: string;
let cache: ContentCache;
const children: ChildProcess[] = [];
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'steelyard-cache-'));
	cache = await opened();
});
afterEach(async () => {
	for (const child of children.splice(0)) await killed(child);
	await rm(folder, { recursive: true, force: true });
});

async function killed(child: ChildProcess): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null) return;
	child.kill('SIGKILL');
	await once(child, 'exit');
}

const isAlive = async (pid: number): Promise<string | null> => {
	try {
		process.kill(pid, 0);
		return 'alive';
	} catch {
		return null;
	}
};
const opened = (identityOf = isAlive) => openContentCache({ folder, most: 100, identityOf });

/** A file of a text, and how often it was read. */
function textFile(text: string, name = 'text', given = text): CachedFile & { reads: number } {
	const file = {
		...{ name, bytes: Buffer.byteLength(text), sha256: createHash('sha256').update(text).digest('hex'), reads: 0 },
		async read() {
			file.reads++;
			return Readable.from([Buffer.from(given)]);
		},
	};
	return file;
}
/** Runs an action with a folder of the cache. */
async function use<T>({ take }: ContentCache, files: readonly CachedFile[], action: (path: string) => Promise<T>): Promise<T> {
	const { path, release } = await take(files);
	return action(path).finally(release);
}
const forty = (sign: string) => textFile(sign.repeat(40));
const textIn = (path: string) => readFile(join(path, 'text'), 'utf8');

/** Another process that uses the cache. */
function user(options: { rounds: number; texts: string[]; hold?: boolean }): ChildProcess {
	const child = fork(USER, [JSON.stringify({ folder, most: 100, ...options })], { execArgv: [] });
	children.push(child);
	return child;
}

/** What another process says next. Rejects where it ends instead. */
const saidBy = (child: ChildProcess): Promise<unknown> =>
	new Promise((resolve, reject) => {
		child.once('message', resolve);
		child.once('exit', (code) => reject(new Error(`the user of the cache ended with code ${code}`)));
	});

describe('a cache of files that never change', () => {
	it('reads what it does not keep yet, and nothing twice', async () => {
		const [one, other] = [textFile('one', 'a/b.txt'), textFile('other', 'c')];
		for (const files of [
			[one, other],
			[other, one],
		])
			await use(cache, files, async (path) => {
				expect(await readFile(join(path, 'a/b.txt'), 'utf8')).toBe('one');
				expect(await readFile(join(path, 'c'), 'utf8')).toBe('other');
				expect((await stat(join(path, 'c'))).mode & 0o222).toBe(0);
			});
		expect([one.reads, other.reads]).toEqual([1, 1]);
		expect(await cache.bytes()).toBe(8);
	});

	it('reads once for several who ask at the same time', async () => {
		const file = textFile('text');
		const read = await Promise.all(Array.from({ length: 8 }, () => use(cache, [file], textIn)));
		expect(new Set(read)).toEqual(new Set(['text']));
		expect(file.reads).toBe(1);
	});

	it.each([
		['other bytes', 'right', 'wrong'],
		['too few bytes', 'right', 'rig'],
		['too many bytes', 'right', 'right and more'],
	])('refuses %s, keeps nothing of them, and asks again the next time', async (_, text, given) => {
		await expect(use(cache, [textFile(text, 'text', given)], textIn)).rejects.toMatchObject({
			code: 'unavailable',
			message: expect.stringContaining('What came for text is not what was asked for'),
		});
		expect(await cache.bytes()).toBe(0);
		expect(await readdir(join(folder, 'arriving'))).toEqual([]);
		expect(await use(cache, [textFile(text)], textIn)).toBe(text);
	});

	it('hands on the error of a source, and of what uses the files', async () => {
		const failing = { ...textFile('x'), read: () => Promise.reject(new Error('no way')) };
		await expect(use(cache, [failing], textIn)).rejects.toThrow('no way');
		await expect(use(cache, [textFile('x')], () => Promise.reject(new Error('torn')))).rejects.toThrow('torn');
		expect(await readdir(join(folder, 'uses'))).toEqual([]);
	});

	it('removes what was used longest ago when there is no more room', async () => {
		const [a, b, c] = [forty('a'), forty('b'), forty('c')];
		const longAgo = async (path: string, seconds: number) => utimes(path, new Date(0), new Date(Date.now() - seconds * 1000));
		const [ofA, ofB] = [await use(cache, [a], async (path) => path), await use(cache, [b], async (path) => path)];
		await longAgo(ofA, 10);
		await longAgo(ofB, 20);
		await use(cache, [c], textIn);
		expect(await cache.bytes()).toBe(80);
		await use(cache, [a], textIn);
		expect([a.reads, b.reads]).toEqual([1, 1]);
		await use(cache, [b], textIn);
		expect(b.reads).toBe(2);
	});

	it('removes nothing that is in use, and says so where that leaves no room', async () => {
		const other = await opened();
		await use(cache, [forty('a')], async (ofA) => {
			await use(other, [forty('b')], async (ofB) => {
				await expect(use(cache, [forty('c')], textIn)).rejects.toMatchObject({
					code: 'insufficient_storage',
					message: 'The cache takes 100 bytes, of which 80 are in use, too many for 40 more',
				});
				expect([await textIn(ofA), await textIn(ofB)]).toEqual(['a'.repeat(40), 'b'.repeat(40)]);
			});
			await use(cache, [forty('c')], textIn);
			expect(await textIn(ofA)).toBe('a'.repeat(40));
		});
		await expect(use(cache, [textFile('x'.repeat(101))], textIn)).rejects.toMatchObject({
			message: 'The files have 101 bytes, and the cache in which they must lie takes 100',
		});
	});

	it('knows a process from another one that has its id now', async () => {
		const earlier = await opened(async () => 'earlier');
		await use(earlier, [forty('a')], async () => {
			await use(cache, [forty('b')], textIn);
			await use(cache, [forty('c')], async () => use(cache, [forty('d')], textIn));
			expect(await cache.bytes()).toBe(80);
		});
	});

	it('uses again what a killed process used, and clears what it was reading', async () => {
		const child = user({ rounds: 1, texts: ['h'.repeat(90)], hold: true });
		expect(await saidBy(child)).toBe('holds');
		await expect(use(cache, [forty('a')], textIn)).rejects.toMatchObject({ code: 'insufficient_storage' });
		await killed(child);
		expect(await use(cache, [forty('a')], textIn)).toBe('a'.repeat(40));
		expect(await cache.bytes()).toBe(40);
		expect(await readdir(join(folder, 'uses'))).toEqual([]);
	});

	it('is shared by processes that use and remove at the same time, and none finds a file gone', async () => {
		const texts = Array.from({ length: 5 }, (_, i) => String(i).repeat(30));
		const users = Array.from({ length: 3 }, () => user({ rounds: 60, texts }));
		const said = await Promise.all(users.map((child) => saidBy(child) as Promise<{ wrong: number; refused: number }>));
		await Promise.all(users.map((child) => (child.exitCode === null ? once(child, 'exit') : null)));
		expect(said.map(({ wrong }) => wrong)).toEqual([0, 0, 0]);
		expect(Math.max(...said.map(({ refused }) => refused))).toBeLessThan(60);
		expect(await cache.bytes()).toBeLessThanOrEqual(100);
		for (const name of ['arriving', 'leaving', 'uses', 'removals']) expect(await readdir(join(folder, name))).toEqual([]);
	});
});
