import { createHash } from 'node:crypto';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ingest, openDataset } from '../src/index.js';
import { ingestFiles, refusedSource } from './ingest-files.js';
import { temporaryFolders } from './temporary-folder.js';
import { floatsOf, npy } from './write-npy.js';

// Made by test/oracles/dataset.py.
const fixtures = fileURLToPath(new URL('../../../test/oracles/dataset/', import.meta.url));
const expected = JSON.parse(await readFile(join(fixtures, 'expected.json'), 'utf8')) as {
	halves: number[];
	whole: number[];
	sequence: number[];
	finite_float16_as_float32_sha256: string;
};

async function withModality(fixture: string): Promise<{ source: string; target: string }> {
	const { source, target } = await temporaryFolders();
	await copyFile(join(fixtures, fixture), join(source, 'train_x.npy'));
	await writeFile(join(source, 'train_labels.npy'), npy('<i8', [6], [0, 1, 0, 1, 0, 1]));
	await writeFile(join(source, 'manifest.json'), JSON.stringify({ task: { type: 'binary' }, modalities: { x: {} } }));
	return { source, target };
}

describe('arrays as NumPy writes them', () => {
	it.each([
		['f2', expected.halves],
		['f4', expected.halves],
		['f8', expected.halves],
		['f4_big_endian', expected.halves],
		['f8_big_endian', expected.halves],
		['f4_fortran', expected.halves],
		['f2_fortran_big_endian', expected.halves],
		['f4_version_2', expected.halves],
		['f4_fortran_sequence', expected.sequence],
	])('%s is read value by value', async (fixture, values) => {
		const { source, target } = await withModality(`${fixture}.npy`);
		await ingest(source, target);
		expect(floatsOf(await readFile(join(target, 'train_x.npy')))).toEqual(values);
	});

	it.each([
		['i1', Int8Array],
		['u1', Uint8Array],
		['i2', Int16Array],
		['i4', Int32Array],
		['i8', BigInt64Array],
	] as const)('%s is read as integers, value by value', async (fixture, Type) => {
		const { source, target } = await withModality(`${fixture}.npy`);
		const { profile } = await ingest(source, target);
		const dataset = openDataset(target);
		const values = new Type(expected.whole.length);
		dataset.split('train').gather('x', [0, 1, 2, 3, 4, 5], values);
		expect(Array.from<number | bigint, number>(values, Number)).toEqual(expected.whole);
		const [min, max] = [Math.min(...expected.whole), Math.max(...expected.whole)];
		expect(profile.modalities['x']).toMatchObject({ min, max, whole: true });
		dataset.close();
	});

	it('a structured array is refused as a modality', async () => {
		const { source, target } = await withModality('structured.npy');
		await refusedSource(source, target, /train_x.npy: expected .*, found a structured one/, 'train_x.npy');
	});

	it('bool is read as a mask', async () => {
		const { source, target } = await withModality('f4.npy');
		await copyFile(join(fixtures, 'b1.npy'), join(source, 'train_x_mask.npy'));
		const { profile } = await ingest(source, target);
		expect(profile.modalities['x']?.missing).toBeCloseTo(2 / 6, 15);
	});

	it('every finite float16 becomes the float32 that NumPy makes of it', async () => {
		const finite = Array.from({ length: 65536 }, (_, bits) => bits).filter((bits) => ((bits >> 10) & 31) !== 31);
		const { folder } = await ingestFiles({
			'train_x.npy': npy('<f2', [finite.length, 1], finite),
			'train_labels.npy': npy('<f4', [finite.length], new Float32Array(finite.length)),
		});
		const data = (await readFile(join(folder, 'train_x.npy'))).subarray(-4 * finite.length);
		expect(createHash('sha256').update(data).digest('hex')).toBe(expected.finite_float16_as_float32_sha256);
	});

	it.each(['stored.npz', 'deflated.npz'])('%s is read', async (archive) => {
		const { target } = await temporaryFolders();
		const { profile } = await ingest(join(fixtures, archive), target);
		expect(profile.splits).toEqual({ train: { rows: 6, labels: { 0: 3, 1: 3 } }, test: { rows: 6, labels: { 0: 3, 1: 3 } } });
		expect(floatsOf(await readFile(join(target, 'test_x.npy')))).toEqual(expected.halves);
	});
});
