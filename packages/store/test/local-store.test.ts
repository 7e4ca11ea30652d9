import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { InvalidKeyError, openStore } from '../src/index.js';
import { storeSuite } from './store-suite.js';

let folder: string;
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'steelyard-store-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

storeSuite('a local folder', () => openStore(join(folder, 'store')));

it('knows the files behind keys, how much space is left, and no URL from which to download', async () => {
	const store = await openStore(folder);
	await store.put('x/y.txt', 'four');
	expect(await readFile(store.path('x/y.txt'), 'utf8')).toBe('four');
	expect(() => store.path('../x')).toThrow(InvalidKeyError);
	const { free, total } = await store.files.space();
	expect(free).toBeGreaterThan(0);
	expect(total).toBeGreaterThanOrEqual(free);
	expect(await store.presign('x/y.txt', { seconds: 60, filename: 'y.txt' })).toBeNull();
});

it('what a killed process was writing is removed at the next start, and what a live one writes is kept', async () => {
	const host = hostname().replace(/[^A-Za-z0-9-]/g, '-');
	const killed = spawn(process.execPath, ['-e', '']);
	await once(killed, 'exit');
	const temporary = join(folder, '.tmp');
	await mkdir(temporary);
	const names = {
		killed: `${host}.${killed.pid}.aaaaaaaa.1`,
		earlierLife: `${host}.${process.pid}.aaaaaaaa.1`,
		alive: `${host}.${process.ppid}.aaaaaaaa.1`,
		elsewhere: 'another-host.1.aaaaaaaa.1',
		abandoned: 'another-host.1.aaaaaaaa.2',
	};
	for (const name of Object.values(names)) await writeFile(join(temporary, name), '');
	const longAgo = new Date(Date.now() - 3 * 24 * 60 * 60 * 1000);
	await utimes(join(temporary, names.abandoned), longAgo, longAgo);
	const store = await openStore(folder);
	expect((await readdir(temporary)).sort()).toEqual([names.alive, names.elsewhere].sort());
	expect(await store.list('')).toEqual([]);
});

it('two that have one folder open do not disturb each other', async () => {
	const [one, other] = [await openStore(folder), await openStore(folder)];
	await Promise.all(Array.from({ length: 20 }, (_, at) => (at % 2 ? one : other).put('same', String(at).repeat(1000))));
	expect((await one.get('same'))?.toString()).toMatch(/^(\d+?)\1*$/);
	expect(await readdir(join(folder, '.tmp'))).toEqual([]);
});

it('a full disk is told as insufficient storage, and nothing is left of the attempt', async () => {
	const store = await openStore(folder);
	const full = new Readable({
		read() {
			this.destroy(Object.assign(new Error('no space left on device, write'), { code: 'ENOSPC' }));
		},
	});
	await expect(store.put('a', full)).rejects.toMatchObject({ code: 'insufficient_storage' });
	expect(await store.get('a')).toBeNull();
	expect(await readdir(join(folder, '.tmp'))).toEqual([]);
});
