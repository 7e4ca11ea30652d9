import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MOST_SHOWN, type TableProfile } from '@steelyard/contracts';
import { describe, expect, it } from 'vitest';
import { KeptRows, readRows } from '../src/index.js';
import { ingestFiles } from './ingest-files.js';
import { type Files, npy } from './write-npy.js';

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

/** Rows of a split of a dataset of these files: all, unless given. */
async function rowsOf(files: Files, { split = 'train', offset = 0, limit = 100 } = {}) {
	const { profile, folder } = await ingestFiles(files);
	return readRows(folder, profile, { split, offset, limit });
}

const labels = (count: number, type = 'binary', more: object = {}): Files => ({
	'train_labels.npy':
		type === 'regression'
			? npy('<f4', [count], range(count))
			: npy(
					'<i8',
					[count],
					range(count).map((i) => i % 2),
				),
	'manifest.json': JSON.stringify({ task: { type, ...more } }),
});

describe('rows of arrays', () => {
	it('are lists of the shape of a modality, with null where its mask says that it, or a step, is missing', async () => {
		const found = await rowsOf({
			'train_x.npy': npy('<f4', [3, 2], [0.1, 2, 3, -4.5, 1e-7, 16777216]),
			'train_x_mask.npy': npy('|u1', [3], [1, 0, 1]),
			'train_steps.npy': npy('<f4', [3, 2, 2], range(12)),
			'train_steps_mask.npy': npy('|u1', [3, 2], [1, 1, 0, 1, 0, 0]),
			'train_cube.npy': npy('<i2', [3, 1, 2, 2], range(12)),
			...labels(3, 'binary', { classes: ['no', 'yes'] }),
		});
		expect(found).toEqual({
			...{ object: 'list', split: 'train', total: 3, kept: 3, left_out: [], has_more: false },
			data: [
				{
					row: 0,
					values: {
						x: [0.1, 2],
						steps: [
							[0, 1],
							[2, 3],
						],
						cube: [
							[
								[0, 1],
								[2, 3],
							],
						],
					},
					label: 'no',
				},
				{
					row: 1,
					values: {
						x: null,
						steps: [null, [6, 7]],
						cube: [
							[
								[4, 5],
								[6, 7],
							],
						],
					},
					label: 'yes',
				},
				{
					row: 2,
					values: {
						x: [1e-7, 16777216],
						steps: null,
						cube: [
							[
								[8, 9],
								[10, 11],
							],
						],
					},
					label: 'no',
				},
			],
		});
	});

	it('are given by pages, whose numbers are those of the split', async () => {
		const files = { 'train_x.npy': npy('<f4', [5, 1], range(5)), ...labels(5, 'regression') };
		const page = await rowsOf(files, { offset: 1, limit: 2 });
		expect(page.data).toEqual([1, 2].map((row) => ({ row, values: { x: [row] }, label: row })));
		expect([page.total, page.kept, page.has_more]).toEqual([5, 5, true]);
		const last = await rowsOf(files, { offset: 4, limit: 2 });
		expect([last.data.map(({ row }) => row), last.has_more]).toEqual([[4], false]);
		expect(await rowsOf(files, { offset: 9 })).toMatchObject({ data: [], has_more: false, kept: 5 });
	});

	it('have whole numbers beyond those of float64 as texts, and truth values as 0 and 1', async () => {
		const { data } = await rowsOf({
			'train_large.npy': npy('<i8', [2, 1], [-(2n ** 62n), 7n]),
			'train_flag.npy': npy('|b1', [2, 2], [0, 1, 1, 0]),
			...labels(2),
		});
		expect(data.map(({ values }) => values)).toEqual([
			{ large: ['-4611686018427387904'], flag: [0, 1] },
			{ large: [7], flag: [1, 0] },
		]);
	});

	it('have the names of the labels that apply, and lists of labels where positions have them', async () => {
		const several = await rowsOf({
			'train_x.npy': npy('<f4', [2, 1], [1, 2]),
			'train_labels.npy': npy('|u1', [2, 3], [1, 0, 1, 0, 0, 0]),
			'manifest.json': JSON.stringify({ task: { type: 'multilabel', classes: ['a', 'b', 'c'] } }),
		});
		expect(several.data.map(({ label }) => label)).toEqual([['a', 'c'], []]);
		const positions = await rowsOf({
			'train_x.npy': npy('<f4', [2, 1], [1, 2]),
			'train_labels.npy': npy('<i8', [2, 3], [0, 2, -100, 1, -100, 0]),
			'manifest.json': JSON.stringify({ task: { type: 'multiclass', per: 'position' }, modalities: { x: {} } }),
		});
		expect(positions.data.map(({ label }) => label)).toEqual([
			[0, 2, null],
			[1, null, 0],
		]);
		const values = await rowsOf({
			'train_x.npy': npy('<f4', [2, 1], [1, 2]),
			'train_labels.npy': npy('<f4', [2, 2], [0.1, Number.NaN, 3, 4]),
			'manifest.json': JSON.stringify({ task: { type: 'regression', per: 'position' }, modalities: { x: {} } }),
		});
		expect(values.data.map(({ label }) => label)).toEqual([
			[0.1, null],
			[3, 4],
		]);
	});

	it('leave out a modality of too many numbers, and are fewer where they would have too many together', async () => {
		const wide = MOST_SHOWN.row + 1;
		const files = {
			'train_image.npy': npy('|u1', [2, wide], new Array(2 * wide).fill(1)),
			'train_x.npy': npy('<f4', [2, 1], [1, 2]),
			...labels(2),
		};
		const found = await rowsOf(files);
		expect([found.left_out, found.data.map(({ values }) => values)]).toEqual([['image'], [{ x: [1] }, { x: [2] }]]);
		const most = { 'train_x.npy': npy('|u1', [4, MOST_SHOWN.row], new Array(4 * MOST_SHOWN.row).fill(1)), ...labels(4) };
		const page = await rowsOf(most, { offset: 1 });
		expect([page.data.map(({ row }) => row), page.has_more, page.left_out]).toEqual([[1, 2], true, []]);
	});

	it('are of a split that is there', async () => {
		const files = { 'train_x.npy': npy('<f4', [2, 1], [1, 2]), ...labels(2) };
		for (const split of ['valid', '__proto__', '../train'])
			await expect(rowsOf(files, { split })).rejects.toMatchObject({ code: 'invalid_request', param: 'split' });
	});
});

describe('rows of a table', () => {
	/** A dataset of that many rows each of train and test, of which some of test are kept. */
	async function keep(count: number, rows: readonly (readonly unknown[])[]) {
		const [values, numbers] = [npy('<f4', [count, 1], range(count)), npy('<f4', [count], range(count))];
		const { profile, folder } = await ingestFiles({
			...{ 'train_x.npy': values, 'train_labels.npy': numbers, 'test_x.npy': values, 'test_labels.npy': numbers },
			'manifest.json': JSON.stringify({ task: { type: 'regression' } }),
		});
		const keeper = new KeptRows(['train', 'test'], ['a', 'y', 'b'], new Set(['y']));
		for (const row of rows) keeper.add(1, row);
		await keeper.write(folder);
		const read = (query: { split?: string; offset?: number } = {}) =>
			readRows(folder, { ...profile, table: {} as TableProfile }, { split: 'test', offset: 0, limit: 100, ...query });
		return { folder, keeper, read };
	}

	it('have the cells as they were, by the names of their columns, without the labels', async () => {
		const rows = [
			['1,5', 0, 'a\n"b"\u2028'],
			[null, 1, [1, [2, null]]],
			[Number.POSITIVE_INFINITY, 2, ''],
		];
		const { read } = await keep(3, rows);
		const found = await read();
		expect(found).toMatchObject({ total: 3, kept: 3, has_more: false, left_out: [] });
		expect(found.data).toEqual([
			{ row: 0, values: { a: '1,5', b: 'a\n"b"\u2028' }, label: 0 },
			{ row: 1, values: { a: null, b: [1, [2, null]] }, label: 1 },
			{ row: 2, values: { a: 'Infinity', b: '' }, label: 2 },
		]);
		expect(await read({ split: 'train' })).toMatchObject({ total: 3, kept: 0, data: [], has_more: false });
	});

	it('are the first thousand, and fewer where they are long', async () => {
		const many = await keep(
			1010,
			range(1010).map((row) => [row, row, 'x']),
		);
		const found = await many.read({ offset: 995 });
		expect(found).toMatchObject({ total: 1010, kept: 1000, has_more: false });
		expect(found.data.map(({ row, label }) => [row, label])).toEqual(range(5).map((i) => [995 + i, 995 + i]));
		expect([many.keeper.isFull(0), many.keeper.isFull(1)]).toEqual([false, true]);
		const long = 'x'.repeat(2 ** 20);
		const few = await keep(
			6,
			range(6).map((row) => [row, row, row === 4 ? 'short' : long]),
		);
		expect([(await few.read()).kept, few.keeper.isFull(1)]).toEqual([3, true]);
		expect((await stat(join(few.folder, 'rows-test.jsonl'))).size).toBeLessThanOrEqual(4 * 2 ** 20 + 20);
	});

	it('of an earlier version are none', async () => {
		const { profile, folder } = await ingestFiles({ 'train_x.npy': npy('<f4', [2, 1], [1, 2]), ...labels(2) });
		const found = await readRows(folder, { ...profile, table: {} as TableProfile }, { split: 'train', offset: 0, limit: 5 });
		expect(found).toMatchObject({ total: 2, kept: 0, data: [], has_more: false });
	});
});
