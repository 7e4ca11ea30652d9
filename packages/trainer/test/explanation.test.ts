import type { TaskProfile } from '@steelyard/contracts';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import type { ExplainedSplit } from '../src/report/explained-split.js';
import { explain } from '../src/report/explanation.js';

const binary: TaskProfile = { type: 'binary', classes: ['no', 'yes'], outputs: 1 };
const regression: TaskProfile = { type: 'regression', classes: [], outputs: 1 };
const multilabel: TaskProfile = { type: 'multilabel', classes: ['x', 'y'], outputs: 2 };

const buffer = ({ buffer, byteOffset, byteLength }: Uint8Array): ArrayBuffer =>
	buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
const read = (parquet: Uint8Array) => parquetReadObjects({ file: buffer(parquet) });

/** Predictions of which only the probabilities are looked at. */
const of = (probabilities: Float32Array) => ({ logits: new Float32Array(0), probabilities });

/** Three rows of a split with modalities a and b; b is missing in the second. */
const train: ExplainedSplit = {
	name: 'train',
	file: 'train',
	rows: Uint32Array.of(0, 2, 5),
	weights: Float32Array.of(0.5, 1.5, 1, 0, 1.25, 0.75),
	divergence: Float32Array.of(0.25, 0.5, 0.125, 0, 2, 4),
	present: [null, Uint8Array.of(1, 0, 1)],
	predictions: of(Float32Array.of(0.75, 0.25, 0.5, 0.5, 0.125, 0.875)),
	labels: Float64Array.of(0, 1, 1),
};
const validation: ExplainedSplit = {
	...train,
	name: 'validation',
	rows: Uint32Array.of(1, 3),
	weights: Float32Array.of(1, 1, 1, 1),
	divergence: Float32Array.of(0, 1, 2, 3),
	present: [null, null],
	predictions: of(Float32Array.of(0.25, 0.75, 1, 0)),
	labels: Float64Array.of(1, 0),
};
const one = (more: Partial<Parameters<typeof explain>[0]> = {}) =>
	explain({ task: binary, modalities: ['a', 'b'], splits: [train, validation], refreshes: [], reported: 'train', ...more });

describe('explanation.parquet', () => {
	it('has a row an instance of every split, read back by another reader', async () => {
		const rows = await read(one().parquet);
		const there = { 'present.a': true, 'present.b': true };
		const row = (split: string, row: number, a: number[], b: number[], said: number[]) => ({
			split,
			row,
			...there,
			'weight.a': a[0],
			'divergence.a': a[1],
			'weight.b': b[0],
			'divergence.b': b[1],
			prediction: said[0],
			probability: said[1],
			label: said[2],
		});
		expect(rows).toEqual([
			row('train', 0, [0.5, 0.25], [1.5, 0.5], [0, 0.75, 0]),
			{ ...row('train', 2, [1, 0.125], [0], [0, 0.5, 1]), 'divergence.b': null, 'present.b': false },
			row('train', 5, [1.25, 2], [0.75, 4], [1, 0.875, 1]),
			row('validation', 1, [1, 0], [1, 1], [1, 0.75, 1]),
			row('validation', 3, [1, 2], [1, 3], [0, 1, 0]),
		]);
	});

	it('has its columns in order, each of its type, and only divergences that may be null', () => {
		const { schema, created_by } = parquetMetadata(buffer(one().parquet));
		expect(schema.slice(1).map(({ name, type, repetition_type }) => [name, type, repetition_type])).toEqual([
			['split', 'BYTE_ARRAY', 'REQUIRED'],
			['row', 'INT32', 'REQUIRED'],
			['weight.a', 'FLOAT', 'REQUIRED'],
			['divergence.a', 'FLOAT', 'OPTIONAL'],
			['present.a', 'BOOLEAN', 'REQUIRED'],
			['weight.b', 'FLOAT', 'REQUIRED'],
			['divergence.b', 'FLOAT', 'OPTIONAL'],
			['present.b', 'BOOLEAN', 'REQUIRED'],
			['prediction', 'INT32', 'REQUIRED'],
			['probability', 'FLOAT', 'REQUIRED'],
			['label', 'INT32', 'REQUIRED'],
		]);
		expect(created_by).toBe('steelyard');
	});

	it('has null for every divergence of a weighting without divergences', async () => {
		const rows = await read(one({ splits: [{ ...train, divergence: null }] }).parquet);
		expect(rows.map((row) => [row['divergence.a'], row['divergence.b']])).toEqual([
			[null, null],
			[null, null],
			[null, null],
		]);
	});

	it('has the value and the label of a regression, and no probability', async () => {
		const split = { ...train, predictions: { values: Float32Array.of(-1.5, 0, 1e6) }, labels: Float64Array.of(-1, 0.5, 1e6) };
		const rows = await read(one({ task: regression, splits: [split] }).parquet);
		expect(rows.map(({ prediction, label }) => [prediction, label])).toEqual([
			[-1.5, -1],
			[0, 0.5],
			[1e6, 1e6],
		]);
		expect(Object.keys(rows[0]!)).not.toContain('probability');
	});

	it('has three columns a label of a multilabel task', async () => {
		const split = {
			...train,
			predictions: of(Float32Array.of(0.25, 0.75, 0.5, 0.625, 1, 0)),
			labels: Float64Array.of(0, 1, 1, 0, 1, 1),
		};
		const rows = await read(one({ task: multilabel, splits: [split] }).parquet);
		expect(rows.map((row) => [0, 1].map((k) => [row[`prediction.${k}`], row[`probability.${k}`], row[`label.${k}`]]))).toEqual([
			[
				[0, 0.25, 0],
				[1, 0.75, 1],
			],
			[
				[0, 0.5, 1],
				[1, 0.625, 0],
			],
			[
				[1, 1, 1],
				[0, 0, 1],
			],
		]);
	});

	it('holds more rows than one row group has', async () => {
		const count = 2500;
		const split: ExplainedSplit = {
			name: 'test',
			file: 'test',
			rows: Uint32Array.from({ length: count }, (_, i) => i),
			weights: Float32Array.from({ length: count }, (_, i) => i / count),
			divergence: Float32Array.from({ length: count }, (_, i) => i),
			present: [Uint8Array.from({ length: count }, (_, i) => (i % 7 === 0 ? 0 : 1))],
			predictions: { values: new Float32Array(count) },
			labels: new Float64Array(count),
		};
		const rows = await read(one({ task: regression, modalities: ['a'], splits: [split], reported: 'test' }).parquet);
		expect(rows.map((row) => row['row'])).toEqual([...split.rows]);
		expect(rows.map((row) => row['weight.a'])).toEqual([...split.weights]);
		expect(rows.map((row) => row['divergence.a'])).toEqual(Array.from(split.divergence!, (d, i) => (i % 7 === 0 ? null : d)));
	});
});

describe('explanation.json', () => {
	it('shows the instances by weight from the outermost inwards, without those that lack the modality', () => {
		const { json } = one();
		const rows = (list: Array<{ row: number }>) => list.map(({ row }) => row);
		expect(rows(json.instances['a']!.most_trusted)).toEqual([5, 2, 0]);
		expect(rows(json.instances['a']!.least_trusted)).toEqual([0, 2, 5]);
		expect(rows(json.instances['b']!.most_trusted)).toEqual([0, 5]);
		expect(rows(json.instances['b']!.least_trusted)).toEqual([5, 0]);
		expect(json.instances['b']!.least_trusted[0]).toEqual({
			row: 5,
			weight: 0.75,
			divergence: 4,
			prediction: 1,
			probability: 0.875,
			label: 1,
		});
		expect(json).toMatchObject({ split: 'train', files: { train: 'train', validation: 'train' }, classes: ['no', 'yes'] });
	});

	it('shows ten at either end, the earlier of equals first', () => {
		const rows = Uint32Array.from({ length: 30 }, (_, i) => 100 + i);
		const split: ExplainedSplit = {
			...train,
			rows,
			weights: Float32Array.from({ length: 30 }, (_, i) => (i < 15 ? 1 : i === 29 ? 3 : 0.5)),
			divergence: null,
			present: [null],
			predictions: { values: new Float32Array(30) },
			labels: new Float64Array(30),
		};
		const { most_trusted, least_trusted } = one({ task: regression, modalities: ['a'], splits: [split] }).json.instances['a']!;
		expect(most_trusted.map(({ row }) => row)).toEqual([129, 100, 101, 102, 103, 104, 105, 106, 107, 108]);
		expect(least_trusted.map(({ row }) => row)).toEqual([115, 116, 117, 118, 119, 120, 121, 122, 123, 124]);
		expect(most_trusted[0]).toEqual({ row: 129, weight: 3, divergence: null, prediction: 0, probability: null, label: 0 });
	});

	it('shows none where every weight is the same, or no instance has the modality', () => {
		const { json } = one({ splits: [train, { ...validation, present: [null, Uint8Array.of(0, 0)] }], reported: 'validation' });
		expect(json.instances).toEqual({ a: { most_trusted: [], least_trusted: [] }, b: { most_trusted: [], least_trusted: [] } });
	});

	it('refuses to report a split that is not there', () => {
		expect(() => one({ reported: 'test' })).toThrow('the reported split: expected one of train, validation, found test');
	});
});
