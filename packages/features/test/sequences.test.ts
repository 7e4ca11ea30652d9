import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TableManifest } from '@steelyard/contracts';
import { ingest as ingestArrays, openDataset } from '@steelyard/dataset';
import { FEATURISER_FILE } from '@steelyard/features';
import { createSession, tensor } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import { columnOf, csv, ingest, jsonLines, refusal } from './ingesting.js';

const fixture = (file: string): string => fileURLToPath(new URL(`fixtures/${file}`, import.meta.url));
const y = (row: number): string => (row % 3 === 0 ? 'yes' : 'no');
const split = (row: number): string => (row < 30 ? 'train' : 'test');
type Column = (row: number) => unknown;
const lines = (columns: Readonly<Record<string, Column>>) => ({ 't.jsonl': jsonLines(40, { ...columns, split, y }) });
const bySplit: TableManifest = { split: 'split' };

/** The values and the mask of a modality in a split, row by row. */
function heldOf(target: string, name: string, modality: string): { values: number[][]; mask: number[][] } {
	const { rows, shape, gather, mask } = openDataset(target).split(name);
	const width = shape(modality).reduce((product, axis) => product * axis, 1);
	const all = new Float32Array(rows * width);
	gather(
		modality,
		Uint32Array.from({ length: rows }, (_, i) => i),
		all,
	);
	const marks = mask(modality) ?? new Uint8Array();
	const steps = marks.length / rows;
	const cut = (values: ArrayLike<number>, size: number) =>
		Array.from({ length: rows }, (_, row) => Array.from({ length: size }, (_, i) => values[row * size + i] as number));
	return { values: cut(all, width), mask: cut(marks, steps) };
}

describe('lists of several lengths', () => {
	const pulse = (row: number): number[] | null =>
		row % 7 === 0 ? null : row % 7 === 1 ? [] : Array.from({ length: row % 5 }, (_, i) => row + i / 8);

	it('are filled up to the longest, with a mask of their steps; those of none are missing', async () => {
		const { profile, target } = await ingest(lines({ pulse }), bySplit);
		expect(profile.modalities['pulse']).toMatchObject({ shape: [4, 1], masked: true, mask: 'steps', columns: ['pulse'] });
		expect(profile.modalities['pulse']?.standardize).toBeUndefined();
		const lists = Array.from({ length: 40 }, (_, row) => pulse(row) ?? []);
		const some = lists.filter(({ length }) => length > 0).map(({ length }) => length);
		const empty = lists.filter(({ length }) => length === 0).length / 40;
		expect(profile.modalities['pulse']?.missing).toBe(empty);
		const mean = some.reduce((sum, length) => sum + length, 0) / some.length;
		expect(columnOf(profile, 'pulse')).toMatchObject({ kind: 'sequence', modality: 'pulse', features: 4, missing: empty });
		expect(columnOf(profile, 'pulse').length).toEqual({ min: 1, mean, max: 4 });
		expect(heldOf(target, 'test', 'pulse')).toEqual({
			values: lists.slice(30).map((list) => [...list, 0, 0, 0, 0].slice(0, 4)),
			mask: lists.slice(30).map((list) => [0, 1, 2, 3].map((step) => (step < list.length ? 1 : 0))),
		});
	});

	it('may have steps that are lists', async () => {
		const wave = (row: number) => Array.from({ length: 1 + (row % 3) }, (_, step) => [row, step, -1]);
		const { profile, target } = await ingest(lines({ wave }), bySplit);
		expect(profile.modalities['wave']).toMatchObject({ shape: [3, 3], columns: ['wave[:, 0]', 'wave[:, 1]', 'wave[:, 2]'] });
		expect(heldOf(target, 'test', 'wave').values.slice(0, 2)).toEqual([
			[30, 0, -1, 0, 0, 0, 0, 0, 0],
			[31, 0, -1, 31, 1, -1, 0, 0, 0],
		]);
	});

	it('are filled up to the steps of the manifest, and those of one length may be sequences too', async () => {
		const pair = (row: number) => [row, -row];
		const { profile } = await ingest(lines({ pair }), { ...bySplit, kinds: { pair: 'sequence' }, sequences: { steps: 6 } });
		expect(profile.modalities['pair']).toMatchObject({ shape: [6, 1], mask: 'steps', missing: 0 });
		const { profile: vector } = await ingest(lines({ pair }), bySplit);
		expect(vector.modalities['pair']).toMatchObject({ shape: [2] });
		expect(columnOf(vector, 'pair')).toMatchObject({ kind: 'vector', length: { min: 2, mean: 2, max: 2 } });
	});

	it('leave lists of one length vectors, also where some numbers or lists are missing', async () => {
		const pair = (row: number) => (row === 3 ? [] : row === 4 ? null : row === 32 ? [null, 1] : [row, -row]);
		const { profile, target } = await ingest(lines({ pair }), bySplit);
		expect(columnOf(profile, 'pair')).toMatchObject({ kind: 'vector', missing: 2 / 40 });
		expect(heldOf(target, 'test', 'pair').values[2]?.[0]).toBe(0);
	});

	it('have names that are those of no mask', async () => {
		const list: Column = (row) => Array.from({ length: 1 + (row % 3) }, () => row);
		const { profile } = await ingest(lines({ hr: list, hr_mask: list, a_mask: list, a: list, labels: list }), { ...bySplit, label: 'y' });
		expect(Object.keys(profile.modalities)).toEqual(['hr', 'hr_mask_2', 'a_mask', 'a_2', 'labels_2']);
	});

	it('give, from parquet, the dataset that NumPy arrays of the same values give, bit for bit', async () => {
		const columns = { counts: ['counts'], grid: ['grid'], pulse: ['pulse'], wave: ['wave'] };
		const { profile } = await ingest({ 'lists.parquet': await readFile(fixture('lists.parquet')) }, { ...bySplit, columns });
		const target = await mkdtemp(join(tmpdir(), 'steelyard-arrays-'));
		try {
			const { profile: arrays } = await ingestArrays(fixture('lists.npz'), target);
			expect(profile.sha256).toBe(arrays.sha256);
			for (const [name, modality] of Object.entries(arrays.modalities))
				expect({ ...profile.modalities[name], columns: null }).toEqual({ ...modality, columns: null });
		} finally {
			await rm(target, { recursive: true });
		}
	});
});

describe('the graph of sequences', () => {
	it('gives the steps that the mask marks, and zeros for others', async () => {
		const pulse: Column = (row) => Array.from({ length: 1 + (row % 3) }, () => row);
		const { target } = await ingest(lines({ pulse }), bySplit);
		const session = await createSession(await readFile(join(target, FEATURISER_FILE)));
		const given = await session.run({
			'column/pulse': tensor('float64', [2, 3], [1.5, 2.5, Number.NaN, 7, 8, 9]),
			'mask/pulse': tensor('float32', [2, 3], [1, 1, 0, 0, 0, 0]),
		});
		await session.release();
		expect(given['x.pulse']).toMatchObject({ shape: [2, 3, 1], data: Float32Array.of(1.5, 2.5, 0, 0, 0, 0) });
		expect(given['mask.pulse']?.data).toEqual(Float32Array.of(1, 1, 0, 0, 0, 0));
	});
});

describe('lists that are refused', () => {
	/** A list of several lengths, but for one row. */
	const but =
		(row: number, list: unknown): Column =>
		(at) =>
			at === row ? list : Array.from({ length: 1 + (at % 3) }, () => at);
	const nested =
		(row: number, list: unknown): Column =>
		(at) =>
			at === row ? list : Array.from({ length: 1 + (at % 3) }, () => [at, 1]);

	it.each<[string, Column, TableManifest, string, RegExp]>([
		[
			'a missing number',
			but(7, [1, 2, null]),
			{},
			'columns',
			/^Column "x", row 7, step 2: expected a number, found null; "kinds": \{"x": "ignored"\}/,
		],
		['a text', but(7, [1, 'high']), {}, 'columns', /row 7, step 1: expected a number, found "high"/],
		['a number beyond float32', but(7, [1e39]), {}, 'columns', /row 7, step 0: expected a number in the range of float32, found 1e\+39/],
		['a list among numbers', but(7, [1, [2]]), {}, 'columns', /row 7, step 1: expected a number, found a list of 1/],
		[
			'a step of another width',
			nested(7, [[1, 2], [3]]),
			{},
			'columns',
			/row 7, step 1: expected a list of 2, as steps before are, found a list of 1/,
		],
		['a number among lists', nested(7, [[1, 2], 3]), {}, 'columns', /row 7, step 1: expected a list of 2, as steps before are, found 3/],
		['a missing number of a step', nested(7, [[1, null]]), {}, 'columns', /row 7, step 0, number 1: expected a number, found null/],
		['lists of lists of lists', nested(7, [[1, [2]]]), {}, 'columns', /row 7, step 0, number 1: expected a number, found a list of 1/],
		['steps of nothing', () => [[]], {}, 'columns', /row 0, step 0: expected a list of one number or more, found a list of 0/],
		[
			'a text in a list of one length',
			(row) => [row, row === 7 ? 'high' : 1],
			{},
			'columns',
			/row 7, number 1: expected a number, found "high"/,
		],
		[
			'something else than a list',
			but(7, 'none at all'),
			{},
			'columns',
			/expected lists in all rows that have a value, found 1 other values/,
		],
		[
			'more steps than the manifest says',
			but(7, [1, 2, 3, 4, 5]),
			{ sequences: { steps: 4 } },
			'manifest.sequences.steps',
			/row 7: expected at most 4 steps.*found 5/,
		],
		[
			'a sequence beside others in a modality',
			but(7, [1]),
			{ columns: { both: ['x', 'z'] } },
			'manifest.columns.both',
			/a column of sequences alone, found "x" among x, z/,
		],
		[
			'a sequence that is no list',
			(row) => row % 7,
			{ kinds: { x: 'sequence' } },
			'manifest.kinds',
			/Column "x": expected lists of numbers, found none/,
		],
		[
			'lists that only other splits have',
			(row) => (row < 30 ? null : [row, 1, 2].slice(row % 3)),
			{ split: 'split' },
			'manifest.kinds',
			/expected lists of numbers, found none in the training rows/,
		],
	])('%s', async (_, x, manifest, param, message) => {
		expect(await refusal(lines({ x, z: (row) => row % 5 }), manifest)).toMatchObject({ param, message: expect.stringMatching(message) });
	});

	it('one so long that all would be too large filled up, with its row', async () => {
		const long = Array.from({ length: 500 }, (_, i) => i);
		expect(await refusal(lines({ x: but(7, long) }), {}, { bytes: 50_000 })).toMatchObject({
			param: 'columns',
			message: expect.stringMatching(/^Column "x", row 7: expected features of at most 50000 bytes.*this row has 500 steps: cut/),
		});
	});

	it('texts of csv are no lists', async () => {
		const { profile } = await ingest(csv(40, { x: (row) => `[${row % 3}]`, y }));
		expect(columnOf(profile, 'x').kind).toBe('category');
	});
});
