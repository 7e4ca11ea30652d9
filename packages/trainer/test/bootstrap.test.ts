import { readFileSync } from 'node:fs';
import { jobTask, type TaskType } from '@steelyard/contracts';
import { counterRandom } from '@steelyard/random';
import { describe, expect, it } from 'vitest';
import { bootstrapInterval, resamplesOf, resamplingWords } from '../src/report/bootstrap.js';
import { metricsOf } from '../src/report/metrics.js';
import { type Predictions, predictionsFrom } from '../src/report/predictions.js';
import { rankingMetrics, rankingOfCounts } from '../src/report/ranking-metrics.js';

type Case = {
	task: TaskType;
	labels: number[];
	outputs: number[];
	expected: Record<string, { low: number; high: number; error: number }>;
};
const { cases } = JSON.parse(readFileSync(new URL('fixtures/bootstrap.json', import.meta.url), 'utf8')) as { cases: Case[] };

const SEED = 3;
const words = resamplingWords(SEED, 5000);
const resamples = (rows: number) => resamplesOf(rows, words, SEED);

/** The rows of a case, its metrics, and the loss of a job that names none. */
function judged({ task: type, labels: given, outputs }: Pick<Case, 'task' | 'labels' | 'outputs'>) {
	const task = { type, classes: [], outputs: 1 };
	const labels = Float64Array.from(given);
	const predictions = predictionsFrom(task, Float32Array.from(outputs));
	const loss = type === 'regression' ? ('mse' as const) : ('binary_cross_entropy' as const);
	return { rows: { task, loss, predictions, labels }, metrics: metricsOf(task, predictions, labels, loss) };
}

describe('bootstrap intervals', () => {
	for (const { expected, ...of } of cases)
		it(`of ${of.labels.length} rows of a ${of.task} are those of SciPy, but for the chance of 1,000 resamples`, () => {
			const { rows, metrics } = judged(of);
			for (const [name, { low, high, error }] of Object.entries(expected)) {
				const found = bootstrapInterval(rows, name, metrics[name]!, resamples(of.labels.length))!;
				// a 2.5 % quantile of 1,000 normal numbers has a deviation of 0.085 of theirs: four of these, and rows beyond 1,000 are drawn
				const tolerance = (of.labels.length > 1000 ? 0.5 : 0.34) * error;
				expect(Math.abs(found.low - low), `${name} low`).toBeLessThan(tolerance);
				expect(Math.abs(found.high - high), `${name} high`).toBeLessThan(tolerance);
			}
		});

	for (const type of ['binary', 'multiclass', 'multilabel'] as const)
		it(`rank resamples of a ${type} task as rows of their own are ranked`, () => {
			const [rows, outputs] = [40, type === 'binary' ? 1 : 3];
			const random = counterRandom(2, type);
			const labels = Float64Array.from({ length: rows * (type === 'multilabel' ? outputs : 1) }, () =>
				random.below(type === 'multiclass' ? 3 : 2),
			);
			// whole logits, so that scores are equal now and then
			const logits = Float32Array.from({ length: rows * outputs }, () => random.below(4));
			const task = { type, classes: [], outputs };
			const predictions = predictionsFrom(task, logits) as Exclude<Predictions, { values: Float32Array }>;
			const width = predictions.probabilities.length / rows;
			const columns = type === 'binary' ? [1] : [0, 1, 2];
			for (let round = 0; round < 5; round++) {
				const drawn = Array.from({ length: rows }, () => random.below(rows));
				const counts = Uint32Array.from({ length: rows }, (_, row) => drawn.filter((one) => one === row).length);
				for (const c of columns) {
					const has = (row: number): boolean => (type === 'multilabel' ? labels[row * width + c] === 1 : labels[row] === c);
					const score = (row: number): number => predictions.probabilities[row * width + c]!;
					const whole = rankingMetrics(Float32Array.from(drawn, score), (i) => has(drawn[i]!));
					const found = rankingOfCounts(
						Float32Array.from({ length: rows }, (_, row) => score(row)),
						has,
					)(counts);
					expect(found.auroc).toBeCloseTo(whole.auroc!, 12);
					expect(found.auprc).toBeCloseTo(whole.auprc!, 12);
				}
			}
		});

	it('of quantiles are of the share of rows, and of the mean width, that resamples have', () => {
		// of 40 labels 32 are covered, by intervals of width 2 and 4
		const task = jobTask({ type: 'regression', classes: [], outputs: 1 }, [0.1, 0.5, 0.9]);
		const labels = Float64Array.from({ length: 40 }, (_, i) => (i % 5 === 0 ? 9 : 0));
		const quantiles = Float32Array.from({ length: 120 }, (_, at) => (at % 3) - 1 + (Math.floor(at / 3) < 20 ? 0 : (at % 3) - 1));
		const predictions = predictionsFrom(task, quantiles);
		const rows = { task, loss: { name: 'quantile' as const, quantiles: [0.1, 0.5, 0.9] }, predictions, labels };
		const metrics = metricsOf(task, predictions, labels);
		expect(metrics).toMatchObject({ coverage: 0.8, interval_width: 3 });
		const bounds = (name: string) => bootstrapInterval(rows, name, metrics[name]!, resamples(40));
		// 1.96 binomial deviations, √(0.8 · 0.2 / 40), and those of widths that are 2 or 4: less than a row more or less
		expect(bounds('coverage')).toEqual({ low: expect.closeTo(0.8 - 0.124, 1), high: expect.closeTo(0.8 + 0.124, 1) });
		expect(bounds('interval_width')).toEqual({ low: expect.closeTo(3 - 0.31, 1), high: expect.closeTo(3 + 0.31, 1) });
		expect(bounds('pearson')).toBeNull();
	});

	it('are null where the metric is undefined, or is in too many resamples', () => {
		const { rows } = judged({ task: 'binary', labels: [1, ...new Array<number>(11).fill(0)], outputs: new Array<number>(12).fill(0.5) });
		expect(bootstrapInterval(rows, 'auroc', null, resamples(12))).toBeNull();
		// of 12 rows one has the class: a third of the resamples lack it
		expect(bootstrapInterval(rows, 'auroc', 0.5, resamples(12))).toBeNull();
		expect(bootstrapInterval(rows, 'accuracy', 1 / 12, resamples(12))).toEqual({ low: 0, high: expect.closeTo(0.25, 1) });
	});

	it('are the same for the same seed', () => {
		const { rows, metrics } = judged(cases[2]!);
		const count = cases[2]!.labels.length;
		const of = (seed: number) => bootstrapInterval(rows, 'loss', metrics['loss']!, resamplesOf(count, resamplingWords(seed, 5000), seed));
		expect(of(SEED)).toEqual(of(SEED));
		expect(of(4)).not.toEqual(of(SEED));
	});
});
