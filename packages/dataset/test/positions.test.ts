import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDataset, trainingRows } from '../src/index.js';
import { ingestFiles, refused } from './ingest-files.js';
import { type Descr, type Files, npy } from './write-npy.js';

/** A dataset of one modality `x` whose labels have that shape; `task` is that of the manifest. */
const labelled = (task: object, shape: number[], labels: number[], descr: Descr = '<i8', more: Files = {}): Files => ({
	'train_x.npy': npy(
		'<f4',
		[shape[0] as number, 1],
		Array.from({ length: shape[0] as number }, (_, i) => i),
	),
	'train_labels.npy': npy(descr, shape, labels),
	'manifest.json': JSON.stringify({ task: { per: 'position', ...task }, modalities: { x: {} } }),
	...more,
});
const test = (shape: number[], labels: number[], descr: Descr = '<i8'): Files => ({
	'test_x.npy': npy('<f4', [shape[0] as number, 1], new Array(shape[0]).fill(0)),
	'test_labels.npy': npy(descr, shape, labels),
});

describe('labels of positions', () => {
	it('are classes of steps, of which -100 does not count', async () => {
		const files = labelled({ type: 'multiclass' }, [2, 3], [0, 1, 2, -100, 1, -100], '<i8', test([1, 3], [2, -100, 0]));
		const { profile, folder } = await ingestFiles(files);
		expect(profile.task).toEqual({ type: 'multiclass', classes: ['0', '1', '2'], outputs: 3, positions: [3], ignore_index: -100 });
		expect(profile.splits).toEqual({
			train: { rows: 2, labels: { 0: 1, 1: 2, 2: 1 }, ignored_positions: 2 },
			test: { rows: 1, labels: { 0: 1, 1: 0, 2: 1 }, ignored_positions: 1 },
		});
		const dataset = openDataset(folder);
		expect([...dataset.split('train').labels]).toEqual([0, 1, 2, -1, 1, -1]);
		expect([...dataset.split('test').labels]).toEqual([2, -1, 0]);
	});

	it('are classes of pixels, with an index of its own that does not count and a row that is ignored whole', async () => {
		const labels = [0, 1, 255, 1, 255, 255, 255, 255];
		const { profile } = await ingestFiles(labelled({ type: 'binary', ignore_index: 255 }, [2, 2, 2], labels, '|u1'));
		expect(profile.task).toEqual({ type: 'binary', classes: ['0', '1'], outputs: 1, positions: [2, 2], ignore_index: 255 });
		expect(profile.splits['train']).toEqual({ rows: 2, labels: { 0: 1, 1: 2 }, ignored_positions: 5 });
	});

	it('may ignore a class that a model still has an output for', async () => {
		const { profile } = await ingestFiles(labelled({ type: 'multiclass', ignore_index: 0 }, [1, 4], [0, 2, 1, 0]));
		expect(profile.task).toMatchObject({ classes: ['0', '1', '2'], outputs: 3 });
		expect(profile.splits['train']).toMatchObject({ labels: { 0: 0, 1: 1, 2: 1 }, ignored_positions: 2 });
	});

	it('are values, of which NaN does not count', async () => {
		const { profile, folder } = await ingestFiles(labelled({ type: 'regression' }, [2, 2], [1, NaN, 3, NaN], '<f4'));
		expect(profile.task).toEqual({ type: 'regression', classes: [], outputs: 1, positions: [2] });
		expect(profile.splits['train']).toEqual({ rows: 2, labels: { mean: 2, std: 1, min: 1, max: 3 }, ignored_positions: 2 });
		expect([...openDataset(folder).split('train').labels]).toEqual([1, NaN, 3, NaN]);
	});

	it('of a whole vocabulary are counted for the most frequent classes only, and the classes have no names', async () => {
		const labels = [49_999, 49_999, 7, 49_999, 7, 3];
		const { profile, folder } = await ingestFiles(labelled({ type: 'multiclass', class_count: 50_000 }, [2, 3], labels));
		expect(profile.task).toMatchObject({ classes: [], outputs: 50_000 });
		const counts = profile.splits['train']?.labels ?? {};
		expect(Object.keys(counts).length).toBe(1000);
		expect(counts).toMatchObject({ 49_999: 3, 7: 2, 3: 1 });
		expect((await readFile(join(folder, 'profile.json'))).length).toBeLessThan(40_000);
	});

	it('are cut for validation by rows', async () => {
		const { folder } = await ingestFiles(
			labelled({ type: 'multiclass' }, [5, 2], [0, 1, -100, -100, 1, 0, 2, 2, 1, 1], '<i8', test([1, 2], [0, 0])),
		);
		const { train, validation } = trainingRows(openDataset(folder), { fraction: 0.4, seed: 1 });
		expect([...train.rows, ...validation.rows].sort()).toEqual([0, 1, 2, 3, 4]);
		expect(validation.rows.length).toBe(2);
	});

	it.each<[string, Files, string, string]>([
		[
			'no manifest says that they are',
			{ 'train_x.npy': npy('<f4', [2, 1], [1, 2]), 'train_labels.npy': npy('<i8', [2, 2], [0, 1, 2, 0]) },
			'"per": "position" for a label of each position, or "type": "multilabel".*found shape \\(2, 2\\)',
			'train_labels.npy',
		],
		[
			'there is one per row',
			labelled({ type: 'multiclass' }, [2], [0, 1]),
			'expected shape \\(rows, …positions\\), by "per": "position" of manifest.json, found \\(2,\\)',
			'train_labels.npy',
		],
		[
			'one is no class',
			labelled({ type: 'multiclass' }, [1, 2, 3], [0, 1, 0, 1, 0, -1]),
			'row 0, step 1, column 2: expected a class, a whole number from 0 to 99999, or -100 for a position that does not count, found -1',
			'train_labels.npy',
		],
		[
			'another split has other positions',
			labelled({ type: 'multiclass' }, [1, 3], [0, 1, 2], '<i8', test([1, 2], [0, 1])),
			'expected shape \\(rows, 3\\), as train has, found \\(1, 2\\)',
			'test_labels.npy',
		],
		[
			'none of a split counts',
			labelled({ type: 'multiclass' }, [1, 2], [0, 1], '<i8', test([1, 2], [-100, -100])),
			'expected at least one position that counts, found only -100',
			'test_labels.npy',
		],
		[
			'a value is infinite',
			labelled({ type: 'regression' }, [1, 2], [NaN, Infinity], '<f4'),
			'row 0, step 1: expected a finite float32, or NaN for a position that does not count, found Infinity',
			'train_labels.npy',
		],
		[
			'a class does not occur and the number of classes is not given',
			labelled({ type: 'multiclass' }, [1, 2], [0, 2]),
			'task.class_count in a manifest, found no row of class 1',
			'train_labels.npy',
		],
		['a position has several', labelled({ type: 'multilabel' }, [1, 2], [0, 1]), 'expected "row" for multilabel', 'manifest.task.per'],
		[
			'classes have names and a number',
			labelled({ type: 'multiclass', classes: ['a', 'b'], class_count: 2 }, [1, 2], [0, 1]),
			'task.class_count: expected none beside task.classes',
			'manifest.task.class_count',
		],
		[
			'values have an index that does not count',
			labelled({ type: 'regression', ignore_index: 0 }, [1, 2], [0, 1], '<f4'),
			'a value that does not count is NaN',
			'manifest.task.ignore_index',
		],
	])('are refused when %s', async (_, files, message, param) => {
		await refused(files, new RegExp(message), param);
	});
});
