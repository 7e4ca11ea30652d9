import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ingest, openNpyWriter, type WrittenArray } from '../src/index.js';
import { temporaryFolders } from './temporary-folder.js';
import { npy, writeFiles } from './write-npy.js';

const LABELS = {
	'train_labels.npy': npy('<i8', [3], [0, 1, 0]),
	'train_x_mask.npy': npy('|u1', [3], [1, 0, 1]),
	'test_labels.npy': npy('<i8', [1], [1]),
};

/** A folder of two splits, whose modality was written by `openNpyWriter`, in two pieces; with what that saw. */
async function folderOf(train: readonly number[], test: readonly number[]) {
	const { source, target } = await temporaryFolders();
	await writeFiles(source, LABELS);
	const written = new Map<string, WrittenArray>();
	for (const [file, values] of Object.entries({ 'train_x.npy': train, 'test_x.npy': test })) {
		const writer = await openNpyWriter(join(source, file), 'float32', [values.length / 2, 2]);
		await writer.append(Float32Array.from(values.slice(0, 2)));
		await writer.append(Float32Array.from(values.slice(2)));
		const seen = await writer.close();
		if (seen !== null) written.set(file, seen);
	}
	return { source, target, written };
}

const filesOf = async (folder: string) =>
	Object.fromEntries(
		await Promise.all((await readdir(folder)).map(async (name) => [name, await readFile(join(folder, name), 'hex')] as const)),
	);

describe('arrays that were checked while they were written', () => {
	it.each([
		['whole numbers', [1, 2, 0, 0, -3, 4], [5, 6]],
		['other numbers', [1, 2, 0, 0, 3, 4], [0.5, 1e30]],
	])('are moved into the dataset, which is the same as of arrays that are read: %s', async (_, train, test) => {
		const read = await folderOf(train, test);
		const moved = await folderOf(train, test);
		expect([...moved.written.keys()]).toEqual(['train_x.npy', 'test_x.npy']);
		const { profile } = await ingest(read.source, read.target);
		expect((await ingest(moved.source, moved.target, { written: moved.written })).profile).toEqual(profile);
		expect(await filesOf(moved.target)).toEqual(await filesOf(read.target));
		expect(await readdir(moved.source)).toEqual(Object.keys(LABELS).sort());
	});

	it('are read where a number is not finite, and refused with its place', async () => {
		const { source, target, written } = await folderOf([1, 2, 0, 0, 3, Number.NaN], [5, 6]);
		expect([...written.keys()]).toEqual(['test_x.npy']);
		await expect(ingest(source, target, { written })).rejects.toThrow(/train_x.npy.*row 2.*expected a finite number/);
		expect(await readdir(target)).toEqual([]);
	});

	it('count among the bytes that a dataset may have', async () => {
		const { source, target, written } = await folderOf([1, 2, 0, 0, 3, 4], [5, 6]);
		await expect(ingest(source, target, { written, bytes: 720 })).rejects.toThrow(/test_x.npy: expected at most 720 bytes in all arrays/);
	});
});
