import { readFileSync } from 'node:fs';
import type { TaskType } from '@steelyard/contracts';
import { describe, expect, it } from 'vitest';
import { higherIsBetter, metricsOf, topClass } from '../src/report/metrics.js';
import { predictionsFrom } from '../src/report/predictions.js';
import { rankingMetrics } from '../src/report/ranking-metrics.js';

type Case = {
	title: string;
	task: TaskType;
	outputs: number;
	labels: number[];
	logits?: number[];
	probabilities?: number[];
	values?: number[];
	/** Of which `quantiles` are `[N, levels]`, in rising order. */
	levels?: number[];
	quantiles?: number[];
	expected: Record<string, number | null>;
};
const { cases } = JSON.parse(readFileSync(new URL('fixtures/metrics.json', import.meta.url), 'utf8')) as { cases: Case[] };

/** Both sides compute in float64 from the same float32 numbers: only the order of sums differs. */
const TOLERANCE = 1e-9;

describe('metricsOf agrees with scikit-learn', () => {
	for (const { title, task: type, outputs, labels, logits, probabilities, values, levels, quantiles, expected } of cases)
		it(title, () => {
			const task = { type, classes: [], outputs, ...(levels && { quantiles: levels }) };
			const predictions = quantiles
				? predictionsFrom(task, Float32Array.from(quantiles))
				: values
					? { values: Float32Array.from(values) }
					: { logits: Float32Array.from(logits!), probabilities: Float32Array.from(probabilities!) };
			const found = metricsOf(task, predictions, Float64Array.from(labels)) as Record<string, number | null>;
			expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort());
			for (const [name, value] of Object.entries(expected)) {
				if (value === null) expect(found[name], name).toBeNull();
				else expect(Math.abs(found[name]! - value), name).toBeLessThanOrEqual(TOLERANCE * Math.max(1, Math.abs(value)));
			}
		});
});

describe('metrics', () => {
	it('take the first of equally probable classes', () => {
		expect(topClass(Float32Array.from([9, 0.2, 0.4, 0.4]), 3, 0)).toBe(0);
		expect(topClass(Float32Array.from([9, 9, 9, 0.2, 0.4, 0.4]), 3, 1)).toBe(1);
	});

	it('rank by area: 1 where every positive is above, 0 where below, ½ where all are equal', () => {
		const positive = (row: number) => row >= 2;
		expect(rankingMetrics(Float32Array.from([0.1, 0.2, 0.3, 0.4]), positive)).toEqual({ auroc: 1, auprc: 1 });
		expect(rankingMetrics(Float32Array.from([0.4, 0.3, 0.2, 0.1]), positive).auroc).toBe(0);
		expect(rankingMetrics(Float32Array.from([7, 7, 7, 7]), positive)).toEqual({ auroc: 0.5, auprc: 0.5 });
	});

	it('of labels are 0 where a probability is ½', () => {
		const task = { type: 'multilabel' as const, classes: [], outputs: 2 };
		const half = metricsOf(task, predictionsFrom(task, Float32Array.of(0, 0)), Float64Array.of(0, 1));
		expect(half).toMatchObject({ accuracy: 0.5, subset_accuracy: 0, macro_f1: 0, micro_f1: 0, auroc: null });
		expect(half['loss']).toBeCloseTo(Math.LN2, 12);
	});

	it('are better when higher, but for losses and errors', () => {
		expect(['loss', 'mae', 'rmse', 'pinball', 'interval_width'].some(higherIsBetter)).toBe(false);
		expect(['accuracy', 'macro_f1', 'weighted_f1', 'subset_accuracy', 'micro_f1', 'auroc', 'auprc', 'pearson'].every(higherIsBetter)).toBe(
			true,
		);
	});
});
