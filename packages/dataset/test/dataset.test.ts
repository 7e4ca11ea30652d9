import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { counterRandom } from '@steelyard/random';
import { describe, expect, it } from 'vitest';
import { type CanonicalArray, featureMoments, openDataset, standardisationOf, trainingRows } from '../src/index.js';
import { ingestFiles } from './ingest-files.js';
import { type Descr, type Files, npy, small } from './write-npy.js';

const ways = [
	['in memory', {}],
	['from disk', { memoryBytes: 0 }],
] as const;

const count = (n: number, f: (i: number) => number): number[] => Array.from({ length: n }, (_, i) => f(i));

describe.each(ways)('a dataset read %s', (_how, options) => {
	it('gathers rows in any order, with repeats, at an offset', async () => {
		const { folder } = await ingestFiles({
			'train_x.npy': npy(
				'<f4',
				[5, 2, 20],
				count(200, (i) => i),
			),
			'train_labels.npy': npy('<i8', [5], [0, 1, 0, 1, 1]),
		});
		const dataset = openDataset(folder, options);
		const out = new Float32Array(6 * 40 + 3).fill(-1);
		const rows = [3, 0, 1, 2, 2, 4];
		dataset.split('train').gather('x', rows, out, 3);
		expect([...out.subarray(0, 3)]).toEqual([-1, -1, -1]);
		expect([...out.subarray(3)]).toEqual(rows.flatMap((row) => count(40, (i) => row * 40 + i)));
		dataset.close();
	});

	it('gathers narrow rows', async () => {
		const dataset = openDataset((await ingestFiles(small())).folder, options);
		const out = new Float32Array(6);
		dataset.split('train').gather('x', Uint32Array.of(3, 1, 2), out);
		expect([...out]).toEqual([7, 8, 3, 4, 5, 6]);
		dataset.close();
	});

	it('gathers what it was told of before, and anything else', async () => {
		const dataset = openDataset((await ingestFiles(small())).folder, options);
		const { gather, readAhead } = dataset.split('train');
		const gathered = (...rows: number[]): number[] => {
			const out = new Float32Array(rows.length * 2);
			gather('x', rows, out);
			return [...out];
		};
		readAhead('x', [0, 1]);
		readAhead('x', [3, 1, 2]);
		expect(gathered(1, 3)).toEqual([3, 4, 7, 8]);
		expect(gathered(3, 1, 2)).toEqual([7, 8, 3, 4, 5, 6]);
		expect(gathered(3, 1, 2)).toEqual([7, 8, 3, 4, 5, 6]);
		readAhead('x', Uint32Array.of(2));
		expect(gathered(3, 1)).toEqual([7, 8, 3, 4]);
		dataset.close();
	});

	it.each<[Descr, string, CanonicalArray]>([
		['|i1', 'int8', Int8Array.of(-128, 0, 1, 127)],
		['<i2', 'int16', Int16Array.of(-32_768, 0, 1, 32_767)],
		['<i4', 'int32', Int32Array.of(-(2 ** 31), 0, 1, 2 ** 31 - 1)],
		['<i8', 'int64', BigInt64Array.of(-(2n ** 63n), 0n, 2n ** 53n + 1n, 2n ** 63n - 1n)],
		['|u1', 'uint8', Uint8Array.of(0, 1, 2, 255)],
		['<u2', 'uint16', Uint16Array.of(0, 1, 2, 65_535)],
		['<u4', 'uint32', Uint32Array.of(0, 1, 2, 2 ** 32 - 1)],
		['<u8', 'uint64', BigUint64Array.of(0n, 1n, 2n ** 53n + 1n, 2n ** 64n - 1n)],
		['|b1', 'bool', Uint8Array.of(0, 1, 1, 0)],
	])('gives %s as %s, to the last bit', async (descr, dtype, values) => {
		const { folder, profile } = await ingestFiles({
			'train_x.npy': npy(descr, [2, 2], Array.from<number | bigint>(values as ArrayLike<number>)),
			'train_labels.npy': npy('<i8', [2], [0, 1]),
		});
		const numbers = Array.from(values as ArrayLike<number>, Number);
		expect(profile.modalities['x']).toMatchObject({ dtype, min: Math.min(...numbers), max: Math.max(...numbers), whole: true });
		const dataset = openDataset(folder, options);
		const out = values.slice().reverse();
		dataset.split('train').gather('x', [0, 1], out);
		expect(out).toEqual(values);
		const other = dtype === 'uint8' || dtype === 'bool' ? new Int8Array(4) : new Uint8Array(4);
		expect(() => dataset.split('train').gather('x', [0, 1], other)).toThrow(TypeError);
		dataset.close();
	});

	it('opens a profile of an older version, which names no element type, as float32', async () => {
		const { folder } = await ingestFiles({ ...small(), 'train_x_mask.npy': npy('|b1', [4], [1, 0, 1, 1]) });
		const { modalities, ...rest } = JSON.parse(await readFile(join(folder, 'profile.json'), 'utf8'));
		const { shape, masked, missing } = modalities.x;
		await writeFile(join(folder, 'profile.json'), JSON.stringify({ ...rest, modalities: { x: { shape, masked, missing } } }));
		const dataset = openDataset(folder, options);
		const out = new Float32Array(8);
		dataset.split('train').gather('x', [0, 1, 2, 3], out);
		expect([...out]).toEqual([1, 2, 0, 0, 5, 6, 7, 8]);
		expect(dataset.split('train').mask('x')).toEqual(Uint8Array.of(1, 0, 1, 1));
		dataset.close();
	});

	it('refuses rows, room, names and use after closing that are wrong', async () => {
		const dataset = openDataset((await ingestFiles(small())).folder, options);
		const train = dataset.split('train');
		const out = new Float32Array(4);
		expect(() => train.gather('x', [4], out)).toThrow('expected a row from 0 to 3, found 4');
		expect(() => train.gather('x', [-1], out)).toThrow(RangeError);
		expect(() => train.gather('x', [0, 1, 2], out)).toThrow('do not fit');
		expect(() => train.gather('x', [0], out, 3)).toThrow('do not fit');
		expect(() => train.gather('y', [0], out)).toThrow('the dataset has no modality y, only x');
		expect(() => train.gather('constructor', [0], out)).toThrow(RangeError);
		expect(() => dataset.split('valid')).toThrow('the dataset has no split valid');
		dataset.close();
		expect(() => train.gather('x', [0], out)).toThrow('closed');
	});

	it('says of a folder that was damaged later which file is wrong', async () => {
		const { folder } = await ingestFiles(small());
		await truncate(join(folder, 'train_x.npy'), 140);
		await writeFile(join(folder, 'test_x.npy'), await readFile(join(folder, 'train_labels.npy')));
		const dataset = openDataset(folder, options);
		const out = new Float32Array(8);
		expect(() => dataset.split('train').gather('x', [0, 1, 2, 3], out)).toThrow(/train_x.npy: expected 160 bytes, found 140/);
		expect(() => dataset.split('test').gather('x', [0], out)).toThrow(/test_x.npy: expected <f4 of shape \(2, 2\)/);
		dataset.close();
	});
});

describe('an open dataset', () => {
	it('gives labels, groups, masks and shapes by split', async () => {
		const { folder, profile } = await ingestFiles({
			...small(),
			'test_x_mask.npy': npy('|b1', [2], [0, 1]),
			'train_who.npy': npy('<i8', [4], [5, 5, 6, 6]),
			'manifest.json': JSON.stringify({ task: { type: 'binary' }, modalities: { x: {} }, group: 'who' }),
		});
		const dataset = openDataset(folder);
		expect(dataset.profile).toEqual(profile);
		expect(dataset.manifest).toMatchObject({ group: 'who' });
		expect(dataset.splitNames).toEqual(['train', 'test']);
		const [train, test] = [dataset.split('train'), dataset.split('test')];
		expect(train.labels).toEqual(Int32Array.of(0, 1, 0, 1));
		expect([train.groups, test.groups]).toEqual([Int32Array.of(0, 0, 1, 1), null]);
		expect([train.mask('x'), test.mask('x')]).toEqual([Uint8Array.of(1, 1, 1, 1), Uint8Array.of(0, 1)]);
		expect(train.shape('x')).toEqual([2]);
		expect(train.labels.buffer).toBeInstanceOf(ArrayBuffer);
		dataset.close();
	});
});

describe('training rows', () => {
	const dataset = async (labels: number[], more: Files = {}, manifest?: object) => {
		const { folder } = await ingestFiles({
			'train_x.npy': npy('<f4', [labels.length, 1], labels),
			'train_labels.npy': manifest === undefined ? npy('<i8', [labels.length], labels) : npy('<f4', [labels.length], labels),
			...more,
		});
		return openDataset(folder);
	};

	it('are all of train and all of valid where there is one', async () => {
		const opened = await dataset([0, 1, 1], { 'valid_x.npy': npy('<f4', [2, 1], [1, 2]), 'valid_labels.npy': npy('<i8', [2], [0, 1]) });
		expect(trainingRows(opened, { fraction: 0.2, seed: 1 })).toEqual({
			train: { split: 'train', rows: Uint32Array.of(0, 1, 2) },
			validation: { split: 'valid', rows: Uint32Array.of(0, 1) },
		});
	});

	it('are cut by class, ascending, the same for one seed and others for another', async () => {
		const labels = count(200, (i) => (i % 10 === 0 ? 1 : 0));
		const opened = await dataset(labels);
		const { train, validation } = trainingRows(opened, { fraction: 0.25, seed: 1 });
		expect([...train.rows, ...validation.rows].sort((a, b) => a - b)).toEqual(count(200, (i) => i));
		expect([...train.rows]).toEqual([...train.rows].sort((a, b) => a - b));
		expect(validation.rows.length).toBe(50);
		expect([...validation.rows].filter((row) => labels[row] === 1).length).toBe(5);
		expect(trainingRows(opened, { fraction: 0.25, seed: 1 })).toEqual({ train, validation });
		expect(trainingRows(opened, { fraction: 0.25, seed: 2 }).validation.rows).not.toEqual(validation.rows);
	});

	it('keep every class in training, and something for validation, however small they are', async () => {
		const rare = trainingRows(await dataset([0, 0, 0, 0, 0, 1]), { fraction: 0.5, seed: 1 });
		expect([...rare.train.rows]).toContain(5);
		expect(rare.validation.rows.length).toBe(3);
		const pairs = trainingRows(await dataset(count(40, (i) => i >> 1)), { fraction: 0.2, seed: 1 });
		expect(pairs.validation.rows.length).toBe(8);
		expect(new Set([...pairs.train.rows].map((row) => row >> 1)).size).toBe(20);
		expect(trainingRows(await dataset([0, 1]), { fraction: 0.1, seed: 1 }).validation.rows.length).toBe(1);
	});

	it('keep groups whole, near the fraction', async () => {
		const groups = count(300, (i) => Math.floor(i / 5) * 7);
		const labels = count(300, (i) => i % 3);
		const opened = await dataset(labels, {
			'train_who.npy': npy('<i4', [300], groups),
			'manifest.json': JSON.stringify({ task: { type: 'multiclass' }, modalities: { x: {} }, group: 'who' }),
		});
		const { train, validation } = trainingRows(opened, { fraction: 0.2, seed: 3 });
		const held = new Set([...validation.rows].map((row) => groups[row]));
		expect([...train.rows].some((row) => held.has(groups[row]))).toBe(false);
		expect(Math.abs(validation.rows.length - 60)).toBeLessThanOrEqual(5);
	});

	it('leave the only group of a class in training', async () => {
		const opened = await dataset([0, 0, 2, ...count(40, (i) => i % 2)], {
			'train_who.npy': npy('<i4', [43], [0, 0, 0, ...count(40, (i) => 1 + (i >> 1))]),
			'manifest.json': JSON.stringify({ task: { type: 'multiclass' }, modalities: { x: {} }, group: 'who' }),
		});
		for (let seed = 0; seed < 20; seed++) expect([...trainingRows(opened, { fraction: 0.5, seed }).train.rows]).toContain(2);
	});

	it('hold one group back even where every group is larger than asked for, and refuse a single one', async () => {
		const of = (groups: number[]) =>
			dataset([0, 1, 0, 1, 0, 1], {
				'train_who.npy': npy('<i4', [6], groups),
				'manifest.json': JSON.stringify({ task: { type: 'binary' }, modalities: { x: {} }, group: 'who' }),
			});
		const { validation } = trainingRows(await of([1, 1, 1, 2, 2, 2]), { fraction: 0.1, seed: 1 });
		expect(validation.rows.length).toBe(3);
		const single = await of([4, 4, 4, 4, 4, 4]);
		expect(() => trainingRows(single, { fraction: 0.1, seed: 1 })).toThrow(
			'expected at least 2 rows or groups to cut a validation split from, found one group',
		);
	});

	/** Labels `[rows, labels]` of 0 and 1, and a group a row where there are groups. */
	const multilabel = (flags: number[][], groups?: number[]) =>
		dataset(
			flags.map((_, i) => i),
			{
				'train_labels.npy': npy('<i4', [flags.length, flags[0]!.length], flags.flat()),
				...(groups === undefined ? {} : { 'train_who.npy': npy('<i4', [flags.length], groups) }),
				'manifest.json': JSON.stringify({
					task: { type: 'multilabel' },
					modalities: { x: {} },
					...(groups === undefined ? {} : { group: 'who' }),
				}),
			},
		);
	const SHARES = [0.5, 0.2, 0.02, 0.9];
	const random = counterRandom(5, 'flags');
	const drawn = Array.from({ length: 500 }, () => SHARES.map((share) => (random.uniform() < share ? 1 : 0)));
	const withLabel = (rows: Uint32Array, flags: number[][], label: number) => [...rows].filter((row) => flags[row]![label] === 1).length;

	it('of multilabel have every label in its share, the rare ones first', async () => {
		const opened = await multilabel(drawn);
		for (let seed = 0; seed < 10; seed++) {
			const { train, validation } = trainingRows(opened, { fraction: 0.2, seed });
			expect([...train.rows, ...validation.rows].sort((a, b) => a - b)).toEqual(count(500, (i) => i));
			expect(Math.abs(validation.rows.length - 100)).toBeLessThanOrEqual(2);
			SHARES.forEach((_, label) => {
				const all = withLabel(
					Uint32Array.from(drawn, (_, i) => i),
					drawn,
					label,
				);
				expect(Math.abs(withLabel(validation.rows, drawn, label) - all / 5), `label ${label}`).toBeLessThanOrEqual(2);
			});
		}
		const cut = (seed: number) => trainingRows(opened, { fraction: 0.2, seed }).validation.rows;
		expect(cut(1)).toEqual(cut(1));
		expect(cut(1)).not.toEqual(cut(2));
	});

	it('of multilabel keep every label in training, and something for validation, however few there are', async () => {
		const rare = Array.from({ length: 40 }, (_, i) => [i === 7 ? 1 : 0, i < 2 ? 1 : 0, i % 2]);
		for (let seed = 0; seed < 10; seed++) {
			const { train, validation } = trainingRows(await multilabel(rare), { fraction: 0.5, seed });
			for (const label of [0, 1, 2]) expect(withLabel(train.rows, rare, label)).toBeGreaterThan(0);
			expect(withLabel(validation.rows, rare, 1)).toBe(1);
			expect(Math.abs(validation.rows.length - 20)).toBeLessThanOrEqual(1);
		}
		const crossed = [0b101, 0b100, 0b011, 0b010, 0, 0].map((bits) => [bits >> 2, (bits >> 1) & 1, bits & 1]);
		for (let seed = 0; seed < 20; seed++) {
			const { train } = trainingRows(await multilabel(crossed), { fraction: 0.5, seed }); // the first two labels might take both rows of the third
			for (const label of [0, 1, 2]) expect(withLabel(train.rows, crossed, label)).toBeGreaterThan(0);
		}
		const none = await multilabel([
			[0, 0],
			[0, 0],
			[0, 0],
		]);
		expect(trainingRows(none, { fraction: 0.1, seed: 1 }).validation.rows.length).toBe(1);
		expect(trainingRows(none, { fraction: 0.9, seed: 1 }).train.rows.length).toBe(1);
	});

	it('of multilabel keep groups whole, and a label with one group in training', async () => {
		const flags = Array.from({ length: 300 }, (_, i) => [i % 2, i % 7 === 0 ? 1 : 0, i < 3 ? 1 : 0]);
		const groups = count(300, (i) => Math.floor(i / 5));
		const opened = await multilabel(flags, groups);
		for (let seed = 0; seed < 10; seed++) {
			const { train, validation } = trainingRows(opened, { fraction: 0.2, seed });
			const held = new Set([...validation.rows].map((row) => groups[row]));
			expect([...train.rows].some((row) => held.has(groups[row]))).toBe(false);
			expect(Math.abs(validation.rows.length - 60)).toBeLessThanOrEqual(10);
			expect(Math.abs(withLabel(validation.rows, flags, 0) - 30)).toBeLessThanOrEqual(6);
			expect([...train.rows]).toContain(0);
		}
		const two = await multilabel(
			Array.from({ length: 6 }, () => [1]),
			[1, 1, 1, 1, 2, 2],
		);
		expect([...trainingRows(two, { fraction: 0.1, seed: 1 }).validation.rows]).toEqual([4, 5]);
	});

	it('of a regression are drawn from all rows alike', async () => {
		const opened = await dataset(
			count(50, (i) => i / 7),
			{},
			{},
		);
		expect(trainingRows(opened, { fraction: 0.3, seed: 1 }).validation.rows.length).toBe(15);
	});
});

describe('standardisation', () => {
	const opened = async (files: Files) => openDataset((await ingestFiles(files)).folder).split('train');

	it('gives mean and inverse population deviation of the given rows, and 1 where a feature is constant', async () => {
		const split = await opened({ ...small(), 'train_x.npy': npy('<f4', [4, 2], [1, 0.1, 3, 0.1, 5, 0.1, 100, 0.1]) });
		const { mean, inverse } = standardisationOf(featureMoments(split, 'x', [0, 1, 2]));
		expect([...mean]).toEqual([3, Math.fround(0.1)]);
		expect(inverse[0]).toBeCloseTo(1 / Math.sqrt(8 / 3), 6);
		expect(inverse[1]).toBe(1);
	});

	it('counts integers, and every number of an instance of more axes, as features', async () => {
		const split = await opened({
			'train_x.npy': npy('|u1', [2, 2, 2, 1], [0, 10, 20, 250, 4, 10, 40, 250]),
			'train_labels.npy': npy('<i8', [2], [0, 1]),
		});
		expect(standardisationOf(featureMoments(split, 'x', [0, 1]))).toEqual({
			shape: [2, 2, 1],
			mean: Float32Array.of(2, 10, 30, 250),
			inverse: Float32Array.of(0.5, 1, Math.fround(0.1), 1),
		});
	});

	it('leaves out absent rows and steps', async () => {
		const split = await opened({
			'train_x.npy': npy('<f4', [2, 2, 1], [1, 50, 3, 60]),
			'train_labels.npy': npy('<i8', [2], [0, 1]),
			'train_x_mask.npy': npy('|u1', [2, 2], [1, 0, 1, 0]),
		});
		expect(standardisationOf(featureMoments(split, 'x', [0, 1]))).toEqual({
			shape: [1],
			mean: Float32Array.of(2),
			inverse: Float32Array.of(1),
		});
		expect(standardisationOf(featureMoments(split, 'x', []))).toEqual({
			shape: [1],
			mean: Float32Array.of(0),
			inverse: Float32Array.of(1),
		});
	});

	it('keeps its digits far from zero and over many blocks', async () => {
		const rows = 30_000;
		const values = Float32Array.from({ length: rows * 10 }, (_, i) => 4096 + (Math.floor(i / 10) % 2));
		const split = await opened({
			'train_x.npy': npy('<f4', [rows, 10], values),
			'train_labels.npy': npy(
				'|u1',
				[rows],
				count(rows, (i) => i % 2),
			),
		});
		const all = count(rows, (i) => i);
		const { mean, inverse } = standardisationOf(featureMoments(split, 'x', all));
		for (let f = 0; f < 10; f++) {
			expect(mean[f]).toBe(4096.5);
			expect(inverse[f]).toBeCloseTo(2, 6);
		}
	});
});
