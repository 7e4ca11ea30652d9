import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ingest, openDataset } from '../src/index.js';
import { ingestFiles, refused, refusedSource } from './ingest-files.js';
import { temporaryFolders } from './temporary-folder.js';
import { type Descr, type Files, floatsOf, npy, small, writeFiles } from './write-npy.js';

const manifest = (value: object): string => JSON.stringify({ task: { type: 'binary' }, modalities: { x: {} }, ...value });

/** `small` with the train modality replaced. */
const withTrain = (contents: Buffer): Files => ({ ...small(), 'train_x.npy': contents });
const header = (descr: string, shape: string, order = 'False'): string =>
	`{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`;

describe('ingest', () => {
	it('writes canonical arrays, the profile and the manifest, and returns the profile', async () => {
		const { profile, manifest, folder } = await ingestFiles(small());
		expect((await readdir(folder)).sort()).toEqual([
			'manifest.json',
			'profile.json',
			'test_labels.npy',
			'test_x.npy',
			'train_labels.npy',
			'train_x.npy',
		]);
		expect(profile).toMatchObject({
			name: 'dataset',
			title: null,
			task: { type: 'binary', classes: ['0', '1'], outputs: 1 },
			modalities: { x: { shape: [2], masked: false, missing: 0 } },
			splits: { train: { rows: 4, labels: { 0: 2, 1: 2 } }, test: { rows: 2, labels: { 0: 1, 1: 1 } } },
		});
		expect(profile.bytes).toBe(4 * 128 + (8 + 4 + 4 + 2) * 4);
		expect(manifest).toBeNull();
		expect(JSON.parse(await readFile(join(folder, 'profile.json'), 'utf8'))).toEqual(profile);
		expect(JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'))).toBeNull();
		const labels = await readFile(join(folder, 'train_labels.npy'));
		expect(labels.toString('latin1', 10, 70)).toContain("{'descr': '<i4', 'fortran_order': False, 'shape': (4,), }");
		expect(labels.length).toBe(128 + 16);
	});

	it('gives the same sha256 for the same values stored otherwise, and another for other values', async () => {
		const { profile } = await ingestFiles(small());
		const { profile: wide } = await ingestFiles(withTrain(npy('<f8', [4, 2], [1, 2, 3, 4, 5, 6, 7, 8])));
		const { profile: other } = await ingestFiles(withTrain(npy('<f4', [4, 2], [1, 2, 3, 4, 5, 6, 7, 9])));
		expect(wide.sha256).toBe(profile.sha256);
		expect(other.sha256).not.toBe(profile.sha256);
	});

	it('gives the same sha256 whatever order the manifest names the modalities in', async () => {
		const files = { ...small(), 'train_y.npy': npy('<f4', [4, 1], [1, 2, 3, 4]), 'test_y.npy': npy('<f4', [2, 1], [5, 6]) };
		const xy = await ingestFiles({ ...files, 'manifest.json': manifest({ modalities: { x: {}, y: {} } }) });
		const yx = await ingestFiles({ ...files, 'manifest.json': manifest({ modalities: { y: {}, x: {} } }) });
		expect(yx.profile.sha256).toBe(xy.profile.sha256);
		expect(Object.keys(yx.profile.modalities)).toEqual(['y', 'x']);
	});

	it('takes the task from the labels: floats are regression, more than two classes multiclass', async () => {
		const regression = await ingestFiles({
			'train_x.npy': npy('<f4', [2, 1], [1, 2]),
			'train_labels.npy': npy('<f8', [2], [-1.5, 2.5]),
		});
		expect(regression.profile.task).toEqual({ type: 'regression', classes: [], outputs: 1 });
		expect(regression.profile.splits['train']?.labels).toEqual({ mean: 0.5, std: 2, min: -1.5, max: 2.5 });
		const classes = await ingestFiles({ 'train_x.npy': npy('<f4', [3, 1], [1, 2, 3]), 'train_labels.npy': npy('|i1', [3, 1], [2, 0, 1]) });
		expect(classes.profile.task).toEqual({ type: 'multiclass', classes: ['0', '1', '2'], outputs: 3 });
	});

	it('counts the 1000 most frequent of very many classes', async () => {
		const classes = Array.from({ length: 3000 }, (_, i) => `c${i}`);
		const { profile } = await ingestFiles({
			'train_x.npy': npy('<f4', [3, 1], [1, 2, 3]),
			'train_labels.npy': npy('<i4', [3], [2999, 5, 2999]),
			'manifest.json': manifest({ task: { type: 'multiclass', classes } }),
		});
		const { labels = {} } = profile.splits['train'] ?? {};
		expect(Object.keys(labels)).toHaveLength(1000);
		expect(labels).toMatchObject({ c2999: 2, c5: 1, c0: 0 });
		expect(profile.task).toEqual({ type: 'multiclass', classes, outputs: 3000 });
	});

	it('reads multilabel flags under a manifest', async () => {
		const { profile, folder } = await ingestFiles({
			'train_x.npy': npy('<f4', [2, 1], [1, 2]),
			'train_labels.npy': npy('|b1', [2, 3], [1, 0, 1, 0, 0, 1]),
			'manifest.json': manifest({ task: { type: 'multilabel', classes: ['a', 'b', 'c'] } }),
		});
		expect(profile.task.outputs).toBe(3);
		expect(profile.splits['train']?.labels).toEqual({ a: 1, b: 0, c: 2 });
		expect(floatsOf(await readFile(join(folder, 'train_labels.npy')))).toEqual([1, 0, 1, 0, 0, 1]);
	});

	it.each(['validation', 'val', 'dev'])('calls the split %s valid', async (alias) => {
		const { profile, folder } = await ingestFiles({
			...small(),
			[`${alias}_x.npy`]: npy('<f4', [1, 2], [1, 2]),
			[`${alias}_labels.npy`]: npy('<i8', [1], [1]),
		});
		expect(Object.keys(profile.splits)).toEqual(['train', 'valid', 'test']);
		expect(await readdir(folder)).toContain('valid_x.npy');
	});

	it('reads a further split only when the manifest names it, and lists the arrays that it leaves alone', async () => {
		const files = {
			...small(),
			'odd_x.npy': npy('<f4', [1, 2], [1, 2]),
			'odd_labels.npy': npy('<i8', [1], [1]),
			'train_index.npy': npy('<i4', [9], new Array(9).fill(1)),
			'notes.txt': 'not an array',
		};
		const { profile } = await ingestFiles({ ...files, 'manifest.json': manifest({}) });
		expect(Object.keys(profile.splits)).toEqual(['train', 'test']);
		expect(profile.ignored).toEqual([
			{ file: 'odd_labels.npy', reason: 'of no split that is read' },
			{ file: 'odd_x.npy', reason: 'of no split that is read' },
			{ file: 'train_index.npy', reason: 'manifest.json names no modality or group of this name' },
		]);
		const named = await ingestFiles({ ...files, 'manifest.json': manifest({ splits: { odd: 1 }, extra: { kept: true } }) });
		expect(Object.keys(named.profile.splits)).toEqual(['train', 'test', 'odd']);
		expect(named.manifest).toMatchObject({ extra: { kept: true } });
	});

	it('writes zeros where a row is masked, and full masks for splits without one', async () => {
		const { profile, folder } = await ingestFiles({ ...small(), 'train_x_mask.npy': npy('|b1', [4], [1, 0, 1, 1]) });
		expect(profile.modalities['x']).toMatchObject({ masked: true, missing: 1 / 6 });
		expect(floatsOf(await readFile(join(folder, 'train_x.npy')))).toEqual([1, 2, 0, 0, 5, 6, 7, 8]);
		expect([...(await readFile(join(folder, 'test_x_mask.npy'))).subarray(-2)]).toEqual([1, 1]);
	});

	it('masks steps of a sequence, and spreads a mask of rows over the steps', async () => {
		const values = Array.from({ length: 12 }, (_, i) => i + 1);
		const sequence = { 'train_x.npy': npy('<f4', [2, 3, 2], values), 'train_labels.npy': npy('<i8', [2], [0, 1]) };
		const steps = await ingestFiles({ ...sequence, 'train_x_mask.npy': npy('<f4', [2, 3], [1, 0, 1, 0, 0, 0]) });
		expect(floatsOf(await readFile(join(steps.folder, 'train_x.npy')))).toEqual([1, 2, 0, 0, 5, 6, 0, 0, 0, 0, 0, 0]);
		expect(steps.profile.modalities['x']?.missing).toBe(0.5);
		const rows = await ingestFiles({ ...sequence, 'train_x_mask.npy': npy('<i8', [2], [0, 1]) });
		expect(floatsOf(await readFile(join(rows.folder, 'train_x.npy')))).toEqual([0, 0, 0, 0, 0, 0, 7, 8, 9, 10, 11, 12]);
		expect([...(await readFile(join(rows.folder, 'train_x_mask.npy'))).subarray(-6)]).toEqual([0, 0, 0, 1, 1, 1]);
	});

	it('finds the modalities itself where the manifest names none, whatever their type', async () => {
		const { profile } = await ingestFiles({
			'train_x.npy': npy('<f4', [2, 1], [1, 2]),
			'train_ids.npy': npy('<i8', [2, 3], [5, 0, 2, 7, 1, 1]),
			'train_who.npy': npy('<i8', [2], [70, -5]),
			'train_labels.npy': npy('|b1', [2, 3], [1, 0, 1, 0, 0, 1]),
			'manifest.json': JSON.stringify({ task: { type: 'multilabel' }, group: 'who' }),
		});
		expect(profile.modalities).toEqual({
			ids: { shape: [3], masked: false, missing: 0, dtype: 'int64', min: 0, max: 7, whole: true },
			x: { shape: [1], masked: false, missing: 0, dtype: 'float32', min: 1, max: 2, whole: true },
		});
		expect(profile.ignored).toBeUndefined();
	});

	it('says whether the values of all splits are whole, and between what they lie, where what is missing is 0', async () => {
		const { profile } = await ingestFiles({
			...small(),
			'test_x.npy': npy('<f4', [2, 2], [9, 10.5, 99, 12]),
			'test_x_mask.npy': npy('|b1', [2], [1, 0]),
		});
		expect(profile.modalities['x']).toMatchObject({ dtype: 'float32', min: 0, max: 10.5, whole: false, mask: 'rows' });
	});

	it('takes a modality as float32 where one split has it in a floating type', async () => {
		const { profile, folder } = await ingestFiles(withTrain(npy('<i4', [4, 2], [1, 2, 3, 4, 5, 6, 7, 8])));
		expect(profile.modalities['x']).toMatchObject({ dtype: 'float32', whole: true });
		expect(floatsOf(await readFile(join(folder, 'train_x.npy')))).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
	});

	it('takes instances of more axes, in either order of the axes, and masks them by rows', async () => {
		const values = Array.from({ length: 24 }, (_, i) => i);
		const image = (bytes: Buffer): Files => ({
			'train_x.npy': bytes,
			'train_labels.npy': npy('<i8', [2], [0, 1]),
			'train_x_mask.npy': npy('|b1', [2], [1, 0]),
		});
		const { profile, folder } = await ingestFiles(image(npy('<f4', [2, 3, 2, 2], values)));
		expect(profile.modalities['x']).toMatchObject({ shape: [3, 2, 2], masked: true, mask: 'rows', missing: 0.5 });
		expect(floatsOf(await readFile(join(folder, 'train_x.npy')))).toEqual(values.map((value) => (value < 12 ? value : 0)));
		// the number at (n, c, h, w) of C order lies at n + 2·(c + 3·(h + 2·w)) of Fortran order
		const fortran = new Array<number>(24);
		for (const value of values) {
			const [n, c, h, w] = [Math.floor(value / 12), Math.floor(value / 4) % 3, Math.floor(value / 2) % 2, value % 2] as const;
			fortran[n + 2 * (c + 3 * (h + 2 * w))] = value;
		}
		const turned = await ingestFiles(image(npy('<f4', [], fortran, header('<f4', '(2, 3, 2, 2)', 'True'))));
		expect(turned.profile.sha256).toBe(profile.sha256);
	});

	it('masks the numbers of a vector one by one where the mask has one for each', async () => {
		const { profile, folder } = await ingestFiles({
			...small(),
			'train_x.npy': npy('<i8', [4, 2], [1, 2, 3, 4, 5, 6, 7, 8]),
			'test_x.npy': npy('<i8', [2, 2], [1, 2, 3, 4]),
			'train_x_mask.npy': npy('|u1', [4, 2], [1, 0, 1, 1, 0, 0, 1, 1]),
			'test_x_mask.npy': npy('|u1', [2], [0, 1]),
		});
		expect(profile.modalities['x']).toMatchObject({ shape: [2], masked: true, mask: 'steps', missing: 2 / 6, min: 0, max: 8 });
		const train = openDataset(folder).split('train');
		const values = new BigInt64Array(8);
		train.gather('x', [0, 1, 2, 3], values);
		expect([...values]).toEqual([1n, 0n, 3n, 4n, 0n, 0n, 7n, 8n]);
		expect(openDataset(folder).split('test').mask('x')).toEqual(Uint8Array.of(0, 0, 1, 1));
	});

	it('gives equal groups equal codes in every split', async () => {
		const { folder } = await ingestFiles({
			...small(),
			'train_who.npy': npy('<i8', [4], [70, -5, 70, 9]),
			'test_who.npy': npy('<i8', [2], [9, 8]),
			'manifest.json': manifest({ group: 'who' }),
		});
		const codes = async (file: string) => [...new Int32Array(Uint8Array.from((await readFile(join(folder, file))).subarray(128)).buffer)];
		expect(await codes('train_who.npy')).toEqual([0, 1, 0, 2]);
		expect(await codes('test_who.npy')).toEqual([2, 3]);
	});

	it('masks and names places right across the borders of blocks', async () => {
		const rows = 70_001;
		const values = new Float32Array(rows * 3).fill(2);
		const raw = (descr: string, shape: string, data: ArrayBufferView) => {
			const head = npy('<f4', [], [], header(descr, shape));
			return Buffer.concat([head, Buffer.from(data.buffer)]);
		};
		const mask = Uint8Array.from({ length: rows }, (_, i) => (i % 3 === 0 ? 0 : 1));
		const files = {
			'train_x.npy': raw('<f4', `(${rows}, 3)`, values),
			'train_x_mask.npy': raw('|u1', `(${rows},)`, mask),
			'train_labels.npy': raw('|u1', `(${rows},)`, mask),
		};
		const { folder } = await ingestFiles(files);
		const stored = floatsOf(await readFile(join(folder, 'train_x.npy')));
		expect(stored.every((value, i) => value === (Math.floor(i / 3) % 3 === 0 ? 0 : 2))).toBe(true);
		values[60_000 * 3 + 1] = NaN;
		await refused(
			{ ...files, 'train_x.npy': raw('<f4', `(${rows}, 3)`, values) },
			'train_x.npy row 60000, column 1: expected a finite number, found NaN',
			'train_x.npy',
		);
	});

	it('demands an empty target', async () => {
		const { source, target } = await temporaryFolders();
		await writeFiles(source, small());
		await writeFile(join(target, 'old'), '');
		await expect(ingest(source, target)).rejects.toThrow('not empty');
		expect(await readdir(target)).toEqual(['old']);
	});
});

describe('a dataset is refused, and nothing is left of it, when', () => {
	it.each<[string, Files, string | RegExp, string]>([
		[
			'a value is NaN',
			withTrain(npy('<f4', [4, 2], [1, 2, 3, 4, 5, NaN, 7, 8])),
			'train_x.npy row 2, column 1: expected a finite number, found NaN',
			'train_x.npy',
		],
		[
			'a value is infinite',
			withTrain(npy('<f8', [4, 2], [1, 2, 3, 4, 5, 6, -Infinity, 8])),
			'row 3, column 0: expected a finite number, found -Infinity',
			'train_x.npy',
		],
		[
			'a float16 is infinite',
			withTrain(npy('<f2', [4, 2], [0, 0, 0, 0x7c00, 0, 0, 0, 0])),
			'row 1, column 1: expected a finite number, found Infinity',
			'train_x.npy',
		],
		[
			'a float64 is out of range',
			withTrain(npy('<f8', [4, 2], [1, 2, 3, 1e39, 5, 6, 7, 8])),
			'row 1, column 1: expected a number in the range of float32, found 1e\\+39',
			'train_x.npy',
		],
		[
			'a step of a sequence is NaN',
			{ 'train_x.npy': npy('<f4', [2, 2, 2], [1, 2, 3, 4, 5, 6, NaN, 8]), 'train_labels.npy': npy('<i8', [2], [0, 1]) },
			'train_x.npy row 1, step 1, column 0:',
			'train_x.npy',
		],
		[
			'row counts differ',
			withTrain(npy('<f4', [3, 2], [1, 2, 3, 4, 5, 6])),
			'train_x.npy: expected 4 rows, as train_labels.npy has, found 3',
			'train_x.npy',
		],
		[
			'a modality has integers of another type in another split',
			{ ...withTrain(npy('<i8', [4, 2], new Array(8).fill(1))), 'test_x.npy': npy('<i4', [2, 2], [1, 2, 3, 4]) },
			'test_x.npy: expected elements of type int64, as train_x.npy has, found int32',
			'test_x.npy',
		],
		[
			'an array would be left out in silence',
			{ ...small(), 'holdout_x.npy': npy('<f4', [1, 2], [1, 2]) },
			'holdout_x.npy: expected arrays .* of the splits train, test, or a manifest.json whose "modalities" and "splits" say what to read',
			'holdout_x.npy',
		],
		[
			'a mask belongs to no modality',
			{ ...small(), 'train_y_mask.npy': npy('|b1', [4], [1, 1, 1, 1]) },
			'train_y_mask.npy: expected arrays .* found an array that belongs to none',
			'train_y_mask.npy',
		],
		[
			'a named modality is not there',
			{ ...small(), 'manifest.json': manifest({ modalities: { x: {}, y: {} } }) },
			'train_y.npy: expected modality y of split train, found no such file',
			'train_y.npy',
		],
		...['x\0y', 'x'.repeat(250), '😀', '__proto__', 'a b'].flatMap((name): [string, Files, string, string][] => [
			[
				`a modality is called ${JSON.stringify(name.slice(0, 9))}`,
				{ ...small(), 'manifest.json': `{"task": {"type": "binary"}, "modalities": {${JSON.stringify(name)}: {}}}` },
				'; expected names of a letter and at most 62 more',
				'manifest.modalities',
			],
			[
				`a split is called ${JSON.stringify(name.slice(0, 9))}`,
				{ ...small(), 'manifest.json': `{"task": {"type": "binary"}, "modalities": {"x": {}}, "splits": {${JSON.stringify(name)}: 3}}` },
				'; expected names of a letter and at most 62 more',
				'manifest.splits',
			],
		]),
		[
			'a modality has one axis',
			withTrain(npy('<f4', [4], [1, 2, 3, 4])),
			'expected shape \\(rows, features\\), .* found \\(4,\\)',
			'train_x.npy',
		],
		['a modality has no features', withTrain(npy('<f4', [4, 0], [])), 'expected axes that are not empty', 'train_x.npy'],
		[
			'a label is below 0',
			{ ...small(), 'train_labels.npy': npy('<i8', [4], [0, 1, -1, 1]) },
			'train_labels.npy row 2: expected a class, .* found -1',
			'train_labels.npy',
		],
		[
			'a label is above those of train',
			{ ...small(), 'test_labels.npy': npy('<i8', [2], [1, 2]) },
			'test_labels.npy row 1: expected a class, a whole number from 0 to 1, found 2',
			'test_labels.npy',
		],
		[
			'a label is above the named classes',
			{
				...small(),
				'train_labels.npy': npy('<i8', [4], [0, 1, 2, 1]),
				'manifest.json': manifest({ task: { type: 'binary', classes: ['no', 'yes'] } }),
			},
			'train_labels.npy row 2: expected a class, a whole number from 0 to 1, found 2',
			'train_labels.npy',
		],
		[
			'a class is not whole',
			{ ...small(), 'train_labels.npy': npy('<f4', [4], [0, 0.5, 1, 1]), 'manifest.json': manifest({}) },
			'train_labels.npy row 1: expected a class, .* found 0.5',
			'train_labels.npy',
		],
		[
			'a target is NaN',
			{ ...small(), 'train_labels.npy': npy('<f4', [4], [0, NaN, 1, 1]) },
			'train_labels.npy row 1: expected a finite float32, found NaN',
			'train_labels.npy',
		],
		[
			'a multilabel flag is neither 0 nor 1',
			{
				...small(),
				'train_labels.npy': npy('<i4', [4, 2], [0, 1, 2, 1, 0, 0, 0, 0]),
				'manifest.json': manifest({ task: { type: 'multilabel' } }),
			},
			'train_labels.npy row 1, column 0: expected 0 or 1, found 2',
			'train_labels.npy',
		],
		[
			'multilabel labels have one axis',
			{ ...small(), 'manifest.json': manifest({ task: { type: 'multilabel' } }) },
			'expected shape \\(rows, labels\\) of 1 to',
			'train_labels.npy',
		],
		[
			'multilabel columns are not the named classes',
			{
				...small(),
				'manifest.json': manifest({ task: { type: 'multilabel', classes: ['a', 'b'] } }),
				'train_labels.npy': npy('<i4', [4, 1], [1, 0, 1, 0]),
			},
			'expected shape \\(rows, 2\\), one column per class',
			'train_labels.npy',
		],
		[
			'labels have two columns',
			{ ...small(), 'train_labels.npy': npy('<i8', [4, 2], [0, 1, 0, 1, 0, 1, 0, 1]) },
			'expected one value per row',
			'train_labels.npy',
		],
		[
			'train has one class',
			{ ...small(), 'train_labels.npy': npy('<i8', [4], [1, 1, 1, 1]) },
			'expected at least 2 classes in the training split, found 1',
			'train_labels.npy',
		],
		[
			'classes have a gap',
			{ ...small(), 'train_labels.npy': npy('<i8', [4], [0, 2, 0, 2]) },
			'without gaps.* found no row of class 1',
			'train_labels.npy',
		],
		[
			'a split is empty',
			{ ...small(), 'test_labels.npy': npy('<i8', [0], []), 'test_x.npy': npy('<f4', [0, 2], []) },
			'test_labels.npy: expected at least one row',
			'test_labels.npy',
		],
		[
			'there is no train split',
			{ 'test_x.npy': npy('<f4', [1, 2], [1, 2]), 'manifest.json': manifest({}) },
			'train_labels.npy: expected a train split, with its labels, found no such file',
			'train_labels.npy',
		],
		['there is no modality', { 'train_labels.npy': npy('<i8', [2], [0, 1]) }, 'at least one modality', 'The dataset'],
		[
			'a modality is absent in another split',
			{ ...small(), 'train_y.npy': npy('<f4', [4, 1], [1, 2, 3, 4]) },
			'test_y.npy: expected modality y of split test, found no such file',
			'test_y.npy',
		],
		[
			'a modality has another shape in another split',
			{ ...small(), 'test_x.npy': npy('<f4', [2, 3], [1, 2, 3, 4, 5, 6]) },
			'test_x.npy: expected instances of shape \\(2,\\), as train_x.npy has, found \\(3,\\)',
			'test_x.npy',
		],
		[
			'a split has no labels',
			{ ...small(), 'val_x.npy': npy('<f4', [2, 2], [1, 2, 3, 4]) },
			'val_labels.npy: expected the labels of split val, found no such file',
			'val_labels.npy',
		],
		[
			'a named split has no files',
			{ ...small(), 'manifest.json': manifest({ splits: { odd: 3 } }) },
			'odd_labels.npy: expected the labels of split odd',
			'odd_labels.npy',
		],
		[
			'a split goes under two names',
			{ ...small(), 'val_labels.npy': npy('<i8', [1], [0]), 'dev_labels.npy': npy('<i8', [1], [0]) },
			'files of both val and dev',
			'dev_labels.npy',
		],
		[
			'a split has other rows than the manifest says',
			{ ...small(), 'manifest.json': manifest({ splits: { train: 5 } }) },
			'train_labels.npy: expected 5 rows, as manifest.json says of split train, found 4',
			'train_labels.npy',
		],
		[
			'a modality has another shape than the manifest says',
			{ ...small(), 'manifest.json': manifest({ modalities: { x: { shape: [3] } } }) },
			'train_x.npy: expected instances of shape \\(3,\\), as manifest.json has, found \\(2,\\)',
			'train_x.npy',
		],
		[
			'columns are not as many as features',
			{ ...small(), 'manifest.json': manifest({ modalities: { x: { columns: ['a'] } } }) },
			'expected 1 features, as manifest.json names columns, found 2',
			'train_x.npy',
		],
		[
			'two names mean one file',
			{ ...small(), 'manifest.json': manifest({ modalities: { x: {}, x_mask: {} } }) },
			'expected one meaning of this name',
			'train_x_mask.npy',
		],
		[
			'a mask has another shape',
			{ ...small(), 'train_x_mask.npy': npy('|b1', [4, 3], new Array(12).fill(1)) },
			'train_x_mask.npy: expected shape \\(rows, 2\\) or \\(rows,\\), found \\(4, 3\\)',
			'train_x_mask.npy',
		],
		[
			'a mask has other rows',
			{ ...small(), 'train_x_mask.npy': npy('|b1', [3], [1, 1, 1]) },
			'train_x_mask.npy: expected 4 rows',
			'train_x_mask.npy',
		],
		[
			'a mask has another value',
			{ ...small(), 'train_x_mask.npy': npy('<f4', [4], [1, 0.5, 1, 1]) },
			'train_x_mask.npy row 1: expected 0 or 1, found 0.5',
			'train_x_mask.npy',
		],
		[
			'a masked value is NaN',
			{ ...withTrain(npy('<f4', [4, 2], [NaN, 2, 3, 4, 5, 6, 7, 8])), 'train_x_mask.npy': npy('|b1', [4], [0, 1, 1, 1]) },
			'row 0, column 0: expected a finite number',
			'train_x.npy',
		],
		[
			'groups are floats',
			{ ...small(), 'train_who.npy': npy('<f4', [4], [1, 2, 3, 4]), 'manifest.json': manifest({ group: 'who' }) },
			'train_who.npy: expected groups of an integer type, found float32',
			'train_who.npy',
		],
		[
			'the named group is not there',
			{ ...small(), 'manifest.json': manifest({ group: 'who' }) },
			'train_who.npy: expected the groups that the manifest names, found no such file',
			'train_who.npy',
		],
		[
			'groups have other rows',
			{ ...small(), 'train_who.npy': npy('<i4', [3], [1, 2, 3]), 'manifest.json': manifest({ group: 'who' }) },
			'train_who.npy: expected 4 rows',
			'train_who.npy',
		],
		[
			'a modality has no usable name',
			{ ...small(), 'train_2d.npy': npy('<f4', [4, 1], [1, 2, 3, 4]) },
			"train_2d.npy: expected a modality's name",
			'train_2d.npy',
		],
		[
			'the manifest is not JSON',
			{ ...small(), 'manifest.json': '{"task" 1}' },
			'manifest.json: expected valid JSON, found line 1, column 9: colon expected',
			'manifest.json',
		],
		[
			'the manifest is not UTF-8',
			{ ...small(), 'manifest.json': Buffer.from([0x22, 0xff, 0x22]) },
			'manifest.json: expected UTF-8',
			'manifest.json',
		],
		[
			'the manifest is nested without end',
			{ ...small(), 'manifest.json': `${'['.repeat(500_000)}${']'.repeat(500_000)}` },
			'manifest.json: expected nesting',
			'manifest.json',
		],
		[
			'the manifest is too large',
			{ ...small(), 'manifest.json': ' '.repeat(5_000_000) },
			'manifest.json: expected at most',
			'manifest.json',
		],
		[
			'the manifest lacks its task',
			{ ...small(), 'manifest.json': '{"modalities": {"x": {}}}' },
			'manifest.json: task is required',
			'manifest.task',
		],
		[
			'the manifest has an unknown task',
			{ ...small(), 'manifest.json': manifest({ task: { type: 'ranking' } }) },
			'manifest.json: task.type must be one of',
			'manifest.task.type',
		],
		[
			'a class is named twice',
			{ ...small(), 'manifest.json': manifest({ task: { type: 'binary', classes: ['a', 'a'] } }) },
			'expected different names, found "a" twice',
			'manifest.task.classes',
		],
		[
			'a binary task has three classes',
			{ ...small(), 'manifest.json': manifest({ task: { type: 'binary', classes: ['a', 'b', 'c'] } }) },
			'expected 2 names',
			'manifest.task.classes',
		],
		[
			'regression has classes',
			{ ...small(), 'manifest.json': manifest({ task: { type: 'regression', classes: ['a', 'b'] } }) },
			'expected none for regression',
			'manifest.task.classes',
		],
		[
			'a file is truncated',
			withTrain(npy('<f4', [4, 2], [1, 2, 3, 4, 5, 6, 7])),
			'train_x.npy: expected 160 bytes for shape \\(4, 2\\) of float32, found 156: the file is truncated',
			'train_x.npy',
		],
		['a file is cut within its header', withTrain(npy('<f4', [4, 2], []).subarray(0, 50)), 'truncated', 'train_x.npy'],
		['a file is empty', withTrain(Buffer.alloc(0)), 'expected an .npy header', 'train_x.npy'],
		[
			'a file has extra bytes',
			withTrain(npy('<f4', [4, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9])),
			'found 164: extra bytes after the data',
			'train_x.npy',
		],
		['a file is no array', withTrain(Buffer.from('text that is long enough')), 'begins with', 'train_x.npy'],
		[
			'the format version is unknown',
			withTrain(Buffer.from(npy('<f4', [4, 2], new Array(8).fill(1)).map((byte, i) => (i === 6 ? 9 : byte)))),
			'found version 9.0',
			'train_x.npy',
		],
		['the header is no dictionary', withTrain(npy('<f4', [], [], 'import os')), 'expected an .npy header', 'train_x.npy'],
		[
			'the header lacks an entry',
			withTrain(npy('<f4', [], [], "{'descr': '<f4', 'fortran_order': False, }")),
			'expected an .npy header',
			'train_x.npy',
		],
		['the shape is negative', withTrain(npy('<f4', [], [], header('<f4', '(-1, 2)'))), 'expected an .npy header', 'train_x.npy'],
		[
			'the shape is beyond all bounds',
			withTrain(npy('<f4', [], [], header('<f4', '(99999999999, 99999999999)'))),
			'expected a shape that can be stored',
			'train_x.npy',
		],
		['elements are Python objects', withTrain(npy('<f4', [], [], header('|O', '(4, 2)'))), 'found type "|O"', 'train_x.npy'],
		['elements are complex', withTrain(npy('<f4', [], [], header('<c8', '(4, 2)'))), 'found type "<c8"', 'train_x.npy'],
	])('%s', async (_why, files, message, param) => {
		await refused(files, new RegExp(message), param);
	});

	it('an array in Fortran order is too large to turn', async () => {
		const head = npy('<f4', [], [], header('<f4', '(4, 4194305)', 'True'));
		await refused(
			withTrain(Buffer.concat([head, Buffer.alloc(4 * 4 * 4194305)])),
			/expected C order, or Fortran order of at most/,
			'train_x.npy',
		);
	});

	it('its files, or the arrays made of them, take too many bytes', async () => {
		await refused(small(), /test_x.npy: expected at most 500 bytes in all files/, 'test_x.npy', { bytes: 500 });
		const wide: Files = { ...withTrain(npy('<f2', [4, 1000], new Array(4000).fill(1))), 'manifest.json': manifest({}) };
		delete wide['test_x.npy'];
		delete wide['test_labels.npy'];
		await refused(wide, /train_x.npy: expected at most 12000 bytes in all arrays/, 'train_x.npy', { bytes: 12_000 });
	});

	it('its folder has too many files', async () => {
		await refused(small(), /expected at most 3 files, found 4/, 'The folder', { entries: 3 });
	});

	it('it has more modalities, splits, groups or bytes of manifest than are allowed', async () => {
		const named = { ...small(), 'train_who.npy': npy('<i4', [4], [7, 7, 8, 9]), 'manifest.json': manifest({ group: 'who' }) };
		await refused(small(), 'The dataset: expected at most 0 modalities, found 1', 'The dataset', { modalities: 0 });
		const splits = { ...small(), 'manifest.json': manifest({ splits: { a: 1, b: 1, c: 1 } }) };
		await refused(splits, 'The dataset: expected at most 2 splits, found 3', 'The dataset', { splits: 2 });
		await refused(named, 'train_who.npy row 3: expected at most 2 groups in all splits, found one more', 'train_who.npy', { groups: 2 });
		await ingestFiles(named, { groups: 3 });
		await refused(named, /manifest.json: expected at most 20 bytes, found \d+/, 'manifest.json', { manifest: 20 });
	});

	it('it has more classes in all splits together than are allowed, with names, by number or as flags', async () => {
		const words = 'The dataset: expected at most 5 classes or labels in all splits together, found 3 in each of 2 splits, which are 6';
		const three = {
			...small(),
			'train_labels.npy': npy('<i4', [4], [0, 1, 2, 0]),
			'manifest.json': manifest({ task: { type: 'multiclass' } }),
		};
		await refused(three, words, 'The dataset', { counts: 5 });
		await ingestFiles(three, { counts: 6 });
		for (const task of [{ classes: ['a', 'b', 'c'] }, { class_count: 3 }]) {
			const broken = {
				...three,
				'train_labels.npy': 'nobody reads this',
				'manifest.json': manifest({ task: { type: 'multiclass', ...task } }),
			};
			await refused(broken, words, 'The dataset', { counts: 5 });
		}
		const flags = {
			...small(),
			'train_labels.npy': npy('|u1', [4, 3], new Array(12).fill(1)),
			'manifest.json': manifest({ task: { type: 'multilabel' } }),
		};
		await refused(flags, words, 'The dataset', { counts: 5 });
	});

	it('a file that is read is a symbolic link or a folder', async () => {
		const { source, target, root } = await temporaryFolders();
		const { 'train_x.npy': modality, ...others } = small();
		await writeFiles(source, others);
		await writeFile(join(root, 'elsewhere.npy'), modality as Buffer);
		await symlink(join(root, 'elsewhere.npy'), join(source, 'train_x.npy'));
		await refusedSource(source, target, /train_x.npy: expected a regular file, found a symbolic link/, 'train_x.npy');
		const nested = await temporaryFolders();
		await writeFiles(nested.source, { ...others, 'manifest.json': manifest({}) });
		await mkdir(join(nested.source, 'train_x.npy'));
		await refusedSource(nested.source, nested.target, /train_x.npy: expected modality x of split train, found no such file/, 'train_x.npy');
	});
});

describe('element types', () => {
	it.each<[Descr, number[], number[]]>([
		['<f2', [0x3c00, 0xc000, 0x0001, 0x7bff, 0, 0x8000, 0x3555, 1], [1, -2, 2 ** -24, 65504, 0, -0, 0.333251953125, 2 ** -24]],
		['<f8', [0.1, 1e-50, 3e38, 1, 2, 3, 4, 5], [Math.fround(0.1), 0, Math.fround(3e38), 1, 2, 3, 4, 5]],
	])('%s becomes float32', async (descr, stored, values) => {
		const { folder } = await ingestFiles({ ...withTrain(npy(descr, [4, 2], stored)), 'manifest.json': manifest({}) });
		expect(floatsOf(await readFile(join(folder, 'train_x.npy')))).toEqual(values);
	});
});
