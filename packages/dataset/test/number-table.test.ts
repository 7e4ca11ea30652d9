import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readNumberTable, writeNumberTable } from '../src/index.js';
import { npy } from './write-npy.js';

// Made by test/oracles/dataset.py.
const fixtures = fileURLToPath(new URL('../../../test/oracles/dataset/', import.meta.url));
const { halves } = JSON.parse(await readFile(join(fixtures, 'expected.json'), 'utf8')) as { halves: number[] };

let folder: string;
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), 'steelyard-table-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('a table of numbers', () => {
	it.each(['f2', 'f4', 'f8', 'f4_big_endian', 'f4_fortran', 'f2_fortran_big_endian'])('%s is read as NumPy saved it', async (name) => {
		const { values, shape } = await readNumberTable(join(fixtures, `${name}.npy`));
		expect([...values]).toEqual(halves);
		expect(shape).toHaveLength(2);
	});

	it('of several blocks comes back as it was written', async () => {
		const path = join(folder, 'large.npy');
		const values = Float32Array.from({ length: 400_000 }, (_, i) => Math.sin(i));
		await writeNumberTable(path, [200_000, 2], values);
		const table = await readNumberTable(path);
		expect(table).toMatchObject({ file: path, shape: [200_000, 2] });
		expect(Buffer.compare(Buffer.from(Float32Array.from(table.values).buffer), Buffer.from(values.buffer))).toBe(0);
	});

	it('keeps what is not finite, and integers of 64 bits as numbers', async () => {
		await writeFile(join(folder, 'nan.npy'), npy('<f8', [3], [1, Number.NaN, -Infinity]));
		expect([...(await readNumberTable(join(folder, 'nan.npy'))).values]).toEqual([1, Number.NaN, -Infinity]);
		await writeFile(join(folder, 'i8.npy'), npy('<i8', [2], [-3, 7]));
		expect([...(await readNumberTable(join(folder, 'i8.npy'))).values]).toEqual([-3, 7]);
	});

	it.each([
		['a number alone', npy('<f4', [], [1]), /expected shape \(rows,\) or \(rows, columns\), found \(\)/],
		['three axes', npy('<f4', [1, 1, 1], [1]), /found \(1, 1, 1\)/],
		['fewer values than its shape has', npy('<f4', [2], [1]), /truncated/],
		['objects', npy('<f4', [1], [1], "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"), /found type "\|O"/],
		['text', Buffer.from('a,b\n1,2\n3,4\n'), /expected an \.npy file/],
	])('of %s is refused by its path', async (_, bytes, message) => {
		const path = join(folder, 'wrong.npy');
		await writeFile(path, bytes);
		await expect(readNumberTable(path)).rejects.toMatchObject({
			name: 'ProblemError',
			param: path,
			message: expect.stringMatching(message),
		});
	});

	it('that is a folder is refused, one that is not there is the error of the system', async () => {
		await expect(readNumberTable(folder)).rejects.toThrow(/expected a file, found a folder/);
		await expect(readNumberTable(join(folder, 'none.npy'))).rejects.toMatchObject({ code: 'ENOENT' });
	});
});
