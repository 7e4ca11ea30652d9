import { readFileSync } from 'node:fs';
import {
	type ClassCurve,
	CONFUSION_CLASSES,
	CURVE_CLASSES,
	CURVE_POINTS,
	EvaluationFigures,
	fieldErrors,
	type JobTask,
	type NumbersByRightness,
	SAMPLED_VALUES,
	type TaskType,
	type ValueFigures,
} from '@steelyard/contracts';
import { describe, expect, it } from 'vitest';
import { evaluationFigures, type PredictedSplit } from '../src/report/evaluation-figures.js';

type Case = {
	title: string;
	task: TaskType;
	labels: number[];
	probabilities?: number[];
	values?: number[];
	present: number[];
	weights: number[];
	divergence: number[];
	expected: {
		confusion?: number[][] | null;
		curves?: Array<Pick<ClassCurve, 'positives' | 'auroc' | 'auprc' | 'curve'> & { matrix?: number[][] }>;
		residuals?: ValueFigures['residuals'];
		weights: Record<string, NumbersByRightness>;
		divergence: Record<string, NumbersByRightness>;
	};
};
/** What test/oracles/evaluation.py made. */
const { cases } = JSON.parse(readFileSync(new URL('fixtures/evaluation.json', import.meta.url), 'utf8')) as { cases: Case[] };
const MODALITIES = ['m0', 'm1', 'm2'];

/** Equal but for rounding: both sides compute in float64 from the same float32 numbers, and points of curves have six significant digits. */
function close(found: unknown, wanted: unknown, tolerance: number, where: string): void {
	if (typeof wanted === 'number' && typeof found === 'number') {
		expect(Math.abs(found - wanted), where).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(wanted)));
	} else if (wanted !== null && typeof wanted === 'object') {
		expect(Object.keys(found as object).sort(), where).toEqual(Object.keys(wanted).sort());
		for (const [key, value] of Object.entries(wanted)) close((found as Record<string, unknown>)[key], value, tolerance, `${where}.${key}`);
	} else expect(found, where).toBe(wanted);
}

const predictionsOf = ({ values, probabilities }: Pick<Case, 'values' | 'probabilities'>) =>
	values === undefined
		? { logits: new Float32Array(0), probabilities: Float32Array.from(probabilities!) }
		: { values: Float32Array.from(values) };

function splitOf(c: Pick<Case, 'labels' | 'values' | 'probabilities'> & Partial<Case>, rows: number): PredictedSplit {
	const present = c.present;
	return {
		name: 'test',
		file: 'test',
		rows: Uint32Array.from({ length: rows }, (_, i) => 2 * i),
		weights: Float32Array.from(c.weights ?? new Array(rows * MODALITIES.length).fill(1)),
		divergence: c.divergence === undefined ? null : Float32Array.from(c.divergence),
		present: MODALITIES.map((_, m) => (present === undefined ? null : Uint8Array.from({ length: rows }, (__, i) => present[3 * i + m]!))),
		predictions: predictionsOf(c),
		labels: Float64Array.from(c.labels),
	};
}

/** The figures of one split, which fit their schema. */
function figuresOf(task: JobTask, split: PredictedSplit): EvaluationFigures {
	const figures = evaluationFigures(task, MODALITIES, [split]);
	expect(fieldErrors(EvaluationFigures, JSON.parse(JSON.stringify(figures)))).toEqual([]);
	return figures;
}

describe('the figures of an evaluation agree with scikit-learn and NumPy', () => {
	for (const c of cases)
		it(c.title, () => {
			const { task: type, labels, present, probabilities, expected } = c;
			const rows = present.length / MODALITIES.length;
			const width = type === 'multilabel' ? labels.length / rows : 1;
			const outputs = type === 'regression' || type === 'binary' ? 1 : probabilities!.length / rows;
			const found = figuresOf({ type, classes: [], outputs }, splitOf(c, rows)).splits['test']!;
			expect(found.rows).toBe(rows);
			close(found.weights, expected.weights, 1e-9, 'weights');
			close(found.divergence, expected.divergence, 1e-9, 'divergence');
			expect(Object.keys(found.weights)).toEqual(['m0', 'm1']); // no row has m2
			if (type === 'regression') close(found.values!.residuals, expected.residuals, 1e-9, 'residuals');
			else expect(found.confusion).toEqual(expected.confusion);
			expect(found.curves).toHaveLength(expected.curves?.length ?? 0);
			found.curves.forEach((curve, at) => {
				const wanted = expected.curves![at]!;
				expect(curve.positives).toBe(wanted.positives);
				expect(curve.positives + curve.negatives).toBe(rows);
				expect(curve.matrix).toEqual(wanted.matrix ?? null);
				close([curve.auroc, curve.auprc], [wanted.auroc, wanted.auprc], 1e-9, 'areas');
				if (wanted.curve === null || wanted.curve.threshold.length <= CURVE_POINTS) close(curve.curve, wanted.curve, 1e-6, 'curve');
				else thinned(curve.curve!, wanted.curve, wanted.auroc!);
			});
			expect(width === 1 || found.curves.length === width).toBe(true);
		});

	/** Holds points to lie on the whole curve, from its beginning to its end, and to span nearly its area. */
	function thinned(found: NonNullable<ClassCurve['curve']>, whole: NonNullable<ClassCurve['curve']>, auroc: number): void {
		const { length } = found.threshold;
		expect(length).toBeLessThanOrEqual(CURVE_POINTS);
		expect(length).toBeGreaterThan(CURVE_POINTS / 2);
		const pointsOf = (curve: typeof found) =>
			curve.threshold.map((_, i) => [curve.false_positive_rate[i]!, curve.true_positive_rate[i]!, curve.precision[i]!]);
		const [points, all] = [pointsOf(found), pointsOf(whole)];
		const same = (a: number[], b: number[]) => a.every((rate, k) => Math.abs(rate - b[k]!) < 1e-5);
		for (const point of points) expect(all.some((one) => same(one, point))).toBe(true);
		expect([same(points[0]!, all[0]!), same(points.at(-1)!, all.at(-1)!)]).toEqual([true, true]);
		const [x, y] = [found.false_positive_rate, found.true_positive_rate];
		const area = x.slice(1).reduce((sum, to, i) => sum + ((to - x[i]!) * (y[i]! + y[i + 1]!)) / 2, 0);
		expect(Math.abs(area - auroc)).toBeLessThan(0.005); // steps of 1/100
	}
});

describe('the figures of an evaluation', () => {
	it('count the classes beyond the most frequent ones together, and have curves of a few', () => {
		const classes = 40;
		// class c has c + 1 rows, all predicted as the class after it
		const labels = Array.from({ length: classes }, (_, c) => new Array<number>(c + 1).fill(c)).flat();
		const probabilities = labels.flatMap((label) => Array.from({ length: classes }, (_, c) => (c === (label + 1) % classes ? 1 : 0)));
		const task: JobTask = { type: 'multiclass', classes: Array.from({ length: classes }, (_, c) => `class ${c}`), outputs: classes };
		const figures = figuresOf(task, splitOf({ labels, probabilities }, labels.length));
		expect(figures.others).toBe(10);
		expect(figures.classes).toHaveLength(CONFUSION_CLASSES);
		expect(figures.classes[0]).toEqual({ class: 10, name: 'class 10' });
		const { confusion, curves } = figures.splits['test']!;
		expect(confusion!.map((row) => row.length)).toEqual(new Array(31).fill(31));
		expect(confusion![0]![1]).toBe(11);
		expect(confusion![29]![30]).toBe(40); // the last class is predicted as the first, which is not shown
		expect(confusion![30]![0]).toBe(10); // class 9, which is not shown, is predicted as class 10
		expect(confusion![30]![30]).toBe(45);
		expect(curves.map(({ name }) => name)).toEqual(Array.from({ length: CURVE_CLASSES }, (_, k) => `class ${30 + k}`));
	});

	it('list a sample of the values, with their rows and the ends of their quantiles', () => {
		const rows = 2500;
		const labels = Array.from({ length: rows }, (_, i) => i);
		const split = splitOf({ labels, values: labels.map((label) => label + 1) }, rows);
		const quantiles = Float32Array.from({ length: rows * 3 }, (_, at) => Math.floor(at / 3) + (at % 3));
		const predictions = { values: Float32Array.from(labels, (label) => label + 1), quantiles };
		const task: JobTask = { type: 'regression', classes: [], outputs: 3, quantiles: [0.1, 0.5, 0.9] };
		const { sample, residuals } = figuresOf(task, { ...split, predictions }).splits['test']!.values!;
		expect(sample.row).toHaveLength(SAMPLED_VALUES);
		expect([sample.row[1], sample.label[1], sample.prediction[1], sample.low![1], sample.high![1]]).toEqual([4, 2, 3, 2, 4]);
		expect(sample.row.at(-1)).toBe(2 * 2497);
		expect(residuals).toMatchObject({ from: -1, to: -1, count: rows, counts: [rows, ...new Array(19).fill(0)], p50: -1 });
	});

	it('tell labels right only where all of a row are, above their thresholds', () => {
		const predictions = {
			logits: new Float32Array(0),
			probabilities: Float32Array.of(0.4, 0.6, 0.4, 0.6),
			thresholds: [0.3, 0.5],
		};
		const task: JobTask = { type: 'multilabel', classes: ['x', 'y'], outputs: 2 };
		const split = { ...splitOf({ labels: [1, 1, 1, 0], values: [] }, 2), predictions };
		const { weights, curves } = figuresOf(task, split).splits['test']!;
		expect([weights['m0']!.right.count, weights['m0']!.wrong.count]).toEqual([1, 1]);
		expect(curves.map(({ matrix }) => matrix)).toEqual([
			[
				[0, 0],
				[0, 2],
			],
			[
				[0, 1],
				[0, 1],
			],
		]);
	});
});
