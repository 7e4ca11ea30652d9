import { describe, expect, it } from 'vitest';
import { openDataset } from '../src/index.js';
import { ingestFiles, refused } from './ingest-files.js';
import { type Descr, type Files, npy } from './write-npy.js';

const LABELS: Files = { 'train_labels.npy': npy('<i8', [3], [0, 1, 0]), 'test_labels.npy': npy('<i8', [2], [1, 0]) };

/** A ragged modality of one split. */
const ragged = (split: string, descr: Descr, shape: number[], values: number[], offsets: number[]): Files => ({
	[`${split}_x_values.npy`]: npy(descr, shape, values),
	[`${split}_x_offsets.npy`]: npy('<i8', [offsets.length], offsets),
});

/** Rows of 2, 0 and 1 steps of two features; in test of 1 and 3. */
const sequences = (): Files => ({
	...LABELS,
	...ragged('train', '<f4', [3, 2], [1, 2, 3, 4, 5, 6], [0, 2, 2, 3]),
	...ragged('test', '<f4', [4, 2], [7, 8, 9, 10, 11, 12, 13, 14], [0, 1, 4]),
});

/** The same filled up, to another width in each split; what is beyond a length is no zero. */
const padded = (): Files => ({
	...LABELS,
	'train_x.npy': npy('<f4', [3, 2, 2], [1, 2, 3, 4, 99, 99, 99, 99, 5, 6, 99, 99]),
	'train_x_length.npy': npy('|u1', [3], [2, 0, 1]),
	'test_x.npy': npy('<f8', [2, 3, 2], [7, 8, 99, 99, 99, 99, 9, 10, 11, 12, 13, 14]),
	'test_x_length.npy': npy('<i4', [2], [1, 3]),
});

const ofSplit = (split: string, files: Files): Files =>
	Object.fromEntries(Object.entries(files).filter(([name]) => name.startsWith(split)));

const manifest = (modalities: object): Files => ({ 'manifest.json': JSON.stringify({ task: { type: 'binary' }, modalities }) });

function read(folder: string, split: string): { values: number[]; mask: number[] } {
	const dataset = openDataset(folder);
	const { rows, shape, mask, gather } = dataset.split(split);
	const values = new Float32Array(rows * shape('x').reduce((a, b) => a * b, 1));
	gather('x', [...Array(rows).keys()], values);
	dataset.close();
	return { values: [...values], mask: [...(mask('x') as Uint8Array)] };
}

describe('rows that differ in length', () => {
	it.each([
		['by offsets', sequences()],
		['by lengths', padded()],
		['by offsets in one split and lengths in the other', { ...ofSplit('train', sequences()), ...ofSplit('test', padded()) }],
	])('are filled up with zeros to the longest row of all splits, with a mask of their steps: %s', async (_, files: Files) => {
		const { profile, folder } = await ingestFiles(files);
		expect(profile.modalities).toMatchObject({
			x: { shape: [3, 2], masked: true, mask: 'steps', missing: 1 / 5, dtype: 'float32', max: 14 },
		});
		expect(read(folder, 'train')).toEqual({
			values: [1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 5, 6, 0, 0, 0, 0],
			mask: [1, 1, 0, 0, 0, 0, 1, 0, 0],
		});
		expect(read(folder, 'test')).toEqual({ values: [7, 8, 0, 0, 0, 0, 9, 10, 11, 12, 13, 14], mask: [1, 0, 0, 1, 1, 1] });
	});

	it.each([
		[
			'by offsets',
			{ ...ragged('train', '<f4', [3, 2, 1], [1, 2, 3, 4, 5, 6], [0, 2, 2, 3]), ...ragged('test', '<f4', [1, 2, 1], [7, 8], [0, 1, 1]) },
		],
		[
			'by lengths',
			{
				'train_x.npy': npy('<f4', [3, 2, 2, 1], [1, 2, 3, 4, 99, 99, 99, 99, 5, 6, 99, 99]),
				'train_x_length.npy': npy('|u1', [3], [2, 0, 1]),
				'test_x.npy': npy('<f4', [2, 1, 2, 1], [7, 8, 99, 99]),
				'test_x_length.npy': npy('|u1', [2], [1, 0]),
			},
		],
	])('may have steps of more than one axis, such as frames, with a mask of the steps: %s', async (_, files: Files) => {
		const { profile, folder } = await ingestFiles({ ...LABELS, ...files });
		expect(profile.modalities['x']).toMatchObject({ shape: [2, 2, 1], masked: true, mask: 'steps', missing: 2 / 5 });
		expect(read(folder, 'train')).toEqual({ values: [1, 2, 3, 4, 0, 0, 0, 0, 5, 6, 0, 0], mask: [1, 1, 0, 0, 1, 0] });
		expect(read(folder, 'test')).toEqual({ values: [7, 8, 0, 0, 0, 0, 0, 0], mask: [1, 0, 0, 0] });
	});

	it('may be ids, whose numbers a mask marks one by one', async () => {
		const { profile, folder } = await ingestFiles({
			...LABELS,
			...ragged('train', '<i8', [6], [5, 6, 7, 8, 9, 1], [0, 1, 5, 6]),
			...ragged('test', '<i8', [0], [], [0, 0, 0]),
		});
		expect(profile.modalities['x']).toMatchObject({
			shape: [4],
			mask: 'steps',
			dtype: 'int64',
			missing: 2 / 5,
			min: 0,
			max: 9,
			whole: true,
		});
		const train = openDataset(folder).split('train');
		const values = new BigInt64Array(12);
		train.gather('x', [0, 1, 2], values);
		expect([...values]).toEqual([5n, 0n, 0n, 0n, 6n, 7n, 8n, 9n, 1n, 0n, 0n, 0n]);
		expect([...(train.mask('x') as Uint8Array)]).toEqual([1, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0]);
	});

	it('are filled up to the steps that the manifest names', async () => {
		const { profile, folder } = await ingestFiles({ ...sequences(), ...manifest({ x: { shape: [4, 2] } }) });
		expect(profile.modalities['x']?.shape).toEqual([4, 2]);
		expect(read(folder, 'test').mask).toEqual([1, 0, 0, 0, 1, 1, 1, 0]);
	});

	it('may have steps of float16, and far more numbers than one block', async () => {
		const lengths = Array.from({ length: 200 }, (_, row) => (row * 37) % 300);
		const offsets = [0];
		for (const length of lengths) offsets.push((offsets.at(-1) as number) + length);
		const total = offsets.at(-1) as number;
		const one = 0x3c00;
		const { folder } = await ingestFiles({
			'train_labels.npy': npy(
				'|u1',
				[200],
				Array.from(lengths, (length) => length % 2),
			),
			...ragged('train', '<f2', [total, 8], new Array(total * 8).fill(one), offsets),
		});
		const { values, mask } = read(folder, 'train');
		const steps = Math.max(...lengths);
		for (const [row, length] of lengths.entries())
			for (const step of [0, length - 1, length, steps - 1].filter((at) => at >= 0 && at < steps)) {
				const there = step < length ? 1 : 0;
				const at = row * steps + step;
				expect([row, step, mask[at], ...values.slice(at * 8, at * 8 + 8)]).toEqual([row, step, there, ...new Array(8).fill(there)]);
			}
	});

	it('leave files alone that are modalities by their own names', async () => {
		const x = { 'train_x.npy': npy('<f4', [3, 1], [1, 2, 3]), 'test_x.npy': npy('<f4', [2, 1], [1, 2]) };
		const length = { 'train_x_length.npy': npy('<f4', [3, 1], [1, 2, 3]), 'test_x_length.npy': npy('<f4', [2, 1], [1, 2]) };
		const { profile } = await ingestFiles({ ...LABELS, ...x, ...length, ...manifest({ x: {}, x_length: {} }) });
		expect(Object.values(profile.modalities).map(({ masked }) => masked)).toEqual([false, false]);
	});

	it.each<[string, Files, RegExp, string]>([
		[
			'offsets do not begin at 0',
			ragged('train', '<f4', [3, 2], [1, 2, 3, 4, 5, 6], [1, 2, 2, 3]),
			/^train_x_offsets.npy row 0: expected 0 at the beginning, found 1$/,
			'train_x_offsets.npy',
		],
		[
			'offsets fall',
			ragged('train', '<f4', [3, 2], [1, 2, 3, 4, 5, 6], [0, 2, 1, 3]),
			/^train_x_offsets.npy row 2: expected an offset not below 2, that of the row before, found 1$/,
			'train_x_offsets.npy',
		],
		[
			'an offset is beyond the values',
			ragged('train', '<f4', [3, 2], [1, 2, 3, 4, 5, 6], [0, 2, 9, 9]),
			/^train_x_offsets.npy row 2: expected at most 3, as train_x_values.npy has, found 9$/,
			'train_x_offsets.npy',
		],
		[
			'values are left over',
			ragged('train', '<f4', [3, 2], [1, 2, 3, 4, 5, 6], [0, 2, 2, 2]),
			/^train_x_offsets.npy row 3: expected 3, as train_x_values.npy has, found 2$/,
			'train_x_offsets.npy',
		],
		[
			'there is no end',
			ragged('train', '<f4', [3, 2], [1, 2, 3, 4, 5, 6], [0, 2, 2]),
			/expected an offset for each of the 3 rows, and the end, of shape \(4,\), found shape \(3,\)$/,
			'train_x_offsets.npy',
		],
		[
			'offsets are no integers',
			{ 'train_x_offsets.npy': npy('<f4', [4], [0, 2, 2, 3]) },
			/and the end, of an integer type, found float32$/,
			'train_x_offsets.npy',
		],
		[
			'a value is NaN',
			ragged('train', '<f4', [3, 2], [1, 2, 3, 4, 5, NaN], [0, 2, 2, 3]),
			/^train_x_values.npy row 2, step 0, column 1: expected a finite number, found NaN$/,
			'train_x_values.npy',
		],
		[
			'values are one number',
			{ 'train_x_values.npy': npy('<f4', [], [1]) },
			/^train_x_values.npy: expected .* of shape \(total, features\), \(total,\) or .* found shape \(\)$/,
			'train_x_values.npy',
		],
		[
			'instances would have more than 8 axes with the rows',
			ragged('train', '<f4', [3, 1, 1, 1, 1, 1, 1, 2], [1, 2, 3, 4, 5, 6], [0, 2, 2, 3]),
			/^train_x_values.npy: expected .* of up to 7 axes .* found shape \(3, 1, 1, 1, 1, 1, 1, 2\)$/,
			'train_x_values.npy',
		],
		[
			'a step is empty',
			ragged('train', '<f4', [3, 2, 0], [], [0, 2, 2, 3]),
			/^train_x_values.npy: expected .* axes that are not empty but for the first, found shape \(3, 2, 0\)$/,
			'train_x_values.npy',
		],
		[
			'steps have another shape in a split',
			ragged('test', '<f4', [4, 2, 1], [7, 8, 9, 10, 11, 12, 13, 14], [0, 1, 4]),
			/^test_x_values.npy: expected instances of shape \(3, 2\), or shorter ones, as train_x_values.npy has, found \(3, 2, 1\)$/,
			'test_x_values.npy',
		],
		[
			'features differ between splits',
			ragged('test', '<f4', [4, 1], [7, 8, 9, 10], [0, 1, 4]),
			/^test_x_values.npy: expected instances of shape \(3, 2\), or shorter ones, as train_x_values.npy has, found \(3, 1\)$/,
			'test_x_values.npy',
		],
		[
			'a row is longer than the manifest says',
			manifest({ x: { shape: [2, 2] } }),
			/^test_x_offsets.npy row 1: expected at most 2 steps, as manifest.json has, found 3$/,
			'test_x_offsets.npy',
		],
		[
			'a split has an array of the shape that the others are filled up from',
			{ 'train_x.npy': npy('<f4', [3, 1, 2], [1, 2, 3, 4, 5, 6]) },
			/^train_x.npy: expected this file, or train_x_values.npy with train_x_offsets.npy, found both$/,
			'train_x.npy',
		],
		[
			'there is a mask too',
			{ 'train_x_mask.npy': npy('|b1', [3], [1, 1, 1]) },
			/^train_x_offsets.npy: expected one file that says what is there of modality x, found also train_x_mask.npy$/,
			'train_x_offsets.npy',
		],
		[
			'all rows are empty',
			{ ...ragged('train', '<f4', [0, 2], [], [0, 0, 0, 0]), ...ragged('test', '<f4', [0, 2], [], [0, 0, 0]) },
			/expected at least one row that is not empty, found none$/,
			'train_x_values.npy',
		],
	])('are refused where %s', async (_, files, message, param) => {
		await refused({ ...sequences(), ...files }, message, param);
	});

	it.each<[string, Files, RegExp, string]>([
		[
			'a length is more than the array has',
			{ 'train_x_length.npy': npy('<i4', [3], [2, 3, 1]) },
			/^train_x_length.npy row 1: expected 0 to 2, as train_x.npy has, found 3$/,
			'train_x_length.npy',
		],
		[
			'a length is below 0',
			{ 'train_x_length.npy': npy('<i4', [3], [2, -1, 1]) },
			/^train_x_length.npy row 1: expected 0 to 2/,
			'train_x_length.npy',
		],
		[
			'lengths have a column',
			{ 'train_x_length.npy': npy('<i4', [3, 1], [2, 0, 1]) },
			/of shape \(3,\), found shape \(3, 1\)$/,
			'train_x_length.npy',
		],
		[
			'what is filled up is not finite',
			{ 'train_x.npy': npy('<f4', [3, 2, 2], [1, 2, 3, 4, 0, 0, 0, 0, 5, 6, 0, Infinity]) },
			/^train_x.npy row 2, step 1, column 1: expected a finite number, found Infinity$/,
			'train_x.npy',
		],
	])('are refused where %s', async (_, files, message, param) => {
		await refused({ ...padded(), ...files }, message, param);
	});

	it('are refused where one long row makes them too large', async () => {
		const offsets = [0, 1, 2, 1000];
		await refused(
			{ 'train_labels.npy': npy('<i8', [3], [0, 1, 0]), ...ragged('train', '<f4', [1000, 2], new Array(2000).fill(1), offsets) },
			/^train_x_offsets.npy row 2: expected at most \d+ bytes with every row filled up to 998 steps, found 23952: cut the longest rows/,
			'train_x_offsets.npy',
			{ bytes: 20_000 },
		);
	});

	it('are refused as Python objects, with how to store them', async () => {
		const objects = Buffer.concat([npy('|u1', [0], [], "{'descr': '|O', 'fortran_order': False, 'shape': (3,), }"), Buffer.from('pickle')]);
		await refused(
			{ 'train_labels.npy': npy('<i8', [3], [0, 1, 0]), 'train_x.npy': objects },
			/^train_x.npy: expected .* found type "\|O", Python objects, .* \{split\}_\{modality\}_offsets.npy; or rows filled up .* \{split\}_\{modality\}_length.npy$/,
			'train_x.npy',
		);
	});
});
