import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseJobSpec } from '@steelyard/contracts';
import { decodeModel } from '@steelyard/onnx';
import { parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { train } from '../src/job/train.js';
import { thresholdsOf } from '../src/report/thresholds.js';
import { smallDataset } from './small-dataset.js';

/** What test/oracles/thresholds.py made. */
const cases = JSON.parse(readFileSync(new URL('fixtures/thresholds.json', import.meta.url), 'utf8')) as {
	p: number[];
	y: number[];
	f1: number;
}[];

function f1Under(threshold: number, p: readonly number[], y: readonly number[]): number {
	const predicted = p.map((value) => (value > threshold ? 1 : 0));
	const count = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
	return (2 * count(y.map((label, i) => label * predicted[i]!))) / (count(y) + count(predicted));
}

describe('thresholds of labels', () => {
	it('reach the greatest F1 that scikit-learn finds', () => {
		for (const { p, y, f1 } of cases) {
			const [threshold = 0] = thresholdsOf(Float32Array.from(p), Float64Array.from(y), 1);
			expect(Math.fround(threshold)).toBe(threshold);
			expect(f1Under(threshold, p, y)).toBeCloseTo(f1, 9);
		}
	});

	it('are found for each label by its own column, and ½ for one that no row has', () => {
		const [one, two] = [cases[1]!, cases[1]!.y.map(() => 0)];
		const p = Float32Array.from(one.p.flatMap((value) => [value, value]));
		const y = Float64Array.from(one.y.flatMap((label, i) => [label, two[i]!]));
		const alone = thresholdsOf(Float32Array.from(one.p), Float64Array.from(one.y), 1);
		expect(thresholdsOf(p, y, 2)).toEqual([...alone, 0.5]);
	});

	it('part neighbours among float32 numbers, and take every row where that is best', () => {
		// a middle is rounded up to one of these neighbours, and down to the other
		for (const low of [Math.fround(0.3), Math.fround(0.3) + 2 ** -25])
			expect(thresholdsOf(Float32Array.of(low, low + 2 ** -25), Float64Array.of(0, 1), 1)).toEqual([low]);
		const [all = 1] = thresholdsOf(Float32Array.of(0.1, 0.2), Float64Array.of(1, 1), 1);
		expect(all).toBeLessThan(0.1);
	});
});

describe('a job that tunes thresholds', () => {
	let dataset: Awaited<ReturnType<typeof smallDataset>>;
	let root: string;
	beforeAll(async () => {
		root = await mkdtemp(join(tmpdir(), 'steelyard-test-'));
		dataset = await smallDataset('multilabel');
	});
	afterAll(async () => {
		await dataset.remove();
		await rm(root, { recursive: true });
	});

	async function run(evaluation: object) {
		const output = await mkdtemp(join(root, 'job-'));
		const training = { epochs: 3, early_stopping: null, optimizer: { learning_rate: 0.01 } };
		const spec = parseJobSpec({
			dataset: 'ds_1',
			device: 'cpu',
			model: { hidden: 8 },
			weighting: { preset: 'uniform' },
			training,
			evaluation,
		});
		const outcome = await train({ spec, dataset: dataset.folder, output, emit: () => {}, stopped: () => false });
		if (outcome.status !== 'done') throw new Error('stopped');
		const table = await readFile(join(output, 'explanation.parquet'));
		const rows = await parquetReadObjects({
			file: table.buffer.slice(table.byteOffset, table.byteOffset + table.byteLength) as ArrayBuffer,
		});
		return { ...outcome, rows, model: await readFile(join(output, 'model.onnx')) };
	}

	it.each([{}, { calibration: 'temperature' }])('predicts by them, in the model and in every figure: %j', async (more) => {
		const [half, tuned] = [await run(more), await run({ ...more, thresholds: 'f1' })];
		const thresholds = Object.values(tuned.result.thresholds!);
		expect(Object.keys(tuned.result.thresholds!)).toEqual(['x', 'y', 'z']);
		expect(JSON.parse(decodeModel(tuned.model).metadata?.['steelyard.thresholds'] ?? '')).toEqual(thresholds);
		const [before, after] = [half.result.metrics['validation']!, tuned.result.metrics['validation']!];
		expect(after['macro_f1']!).toBeGreaterThan(before['macro_f1']!);
		for (const name of ['loss', 'auroc', 'auprc']) expect(after[name]).toBe(before[name]);
		expect(half.result).not.toHaveProperty('thresholds');
		const validation = tuned.rows.filter(({ split }) => split === 'validation');
		thresholds.forEach((threshold, c) => {
			for (const row of validation) expect(Number(row[`prediction.${c}`])).toBe((row[`probability.${c}`] as number) > threshold ? 1 : 0);
		});
		const f1 = thresholds.map((threshold, c) =>
			f1Under(
				threshold,
				validation.map((row) => row[`probability.${c}`] as number),
				validation.map((row) => Number(row[`label.${c}`])),
			),
		);
		expect(after['macro_f1']).toBeCloseTo(f1.reduce((sum, value) => sum + value, 0) / 3, 9);
	});
});
