import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bundled } from '../src/bundled.js';

let root: string;
beforeEach(async () => {
	root = await mkdtemp(join(tmpdir(), 'steelyard-bundled-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** Writes an empty file, as if `minute` minutes after midnight. */
async function write(path: string, minute: number): Promise<string> {
	const file = join(root, path);
	await mkdir(dirname(file), { recursive: true });
	await writeFile(file, '');
	const time = new Date(Date.UTC(2026, 0, 1, 0, minute));
	await utimes(file, time, time);
	return file;
}

describe('the program of a process', () => {
	let compiled: string;
	let bundle: string;
	beforeEach(async () => {
		await write('pnpm-workspace.yaml', 9);
		await write('pnpm-lock.yaml', 1);
		await write('packages/contracts/dist/.tsbuildinfo', 2);
		await write('packages/notes/README.md', 9);
		await write('services/api/dist/.tsbuildinfo', 3);
		compiled = await write('services/api/dist/datasets/read-child.js', 3);
		bundle = await write('services/api/bundle/read-child.js', 4);
	});

	it('is its bundle', () => {
		expect(bundled(compiled)).toBe(bundle);
	});

	it('is the compiled file where there is no bundle', async () => {
		await rm(bundle);
		expect(bundled(compiled)).toBe(compiled);
	});

	it.each([
		'packages/contracts/dist/.tsbuildinfo',
		'services/api/dist/.tsbuildinfo',
		'models/new/dist/.tsbuildinfo',
		'pnpm-lock.yaml',
		'bin/bundle.js',
		'bin/build-bundle.js',
	])('is the compiled file where %s is newer than the bundle', async (source) => {
		await write(source, 5);
		expect(bundled(compiled)).toBe(compiled);
	});

	it('is its bundle where the service stands without its workspace', async () => {
		await write('services/api/dist/.tsbuildinfo', 5);
		await rm(join(root, 'pnpm-workspace.yaml'));
		expect(bundled(compiled)).toBe(bundle);
	});

	it('is the file itself where that is not a compiled one', async () => {
		const source = await write('services/api/src/main.ts', 1);
		expect(bundled(source)).toBe(source);
	});
});
