import type { Bounds, TaskProfile, TrainedLoss } from '@steelyard/contracts';
import { counterRandom, shuffle } from '@steelyard/random';
import { quantile } from '@steelyard/weighting';
import { decisionsOf } from './decisions.js';
import { metricsOf } from './metrics.js';
import type { Predictions } from './predictions.js';
import { coveredRows, intervalWidths } from './quantile-figures.js';
import { rankingOfCounts } from './ranking-metrics.js';
import { rowLosses } from './row-losses.js';

const RESAMPLES = 1000;
/** Rows of a resample at most; of more rows so many are drawn, and the interval is narrowed by the root of the share. */
const MOST_ROWS = 1000;
/** The 95 % interval lies between these quantiles of the metric over the resamples. */
const QUANTILES = [0.025, 0.975] as const;
/** Of the resamples in which the metric has to be defined. */
const LEAST_DEFINED = 0.95;

/** N rows that a model has judged: labels are `[N]`, of multilabel `[N, labels]`. */
export type JudgedRows = {
	readonly task: TaskProfile;
	readonly loss: TrainedLoss;
	readonly predictions: Predictions;
	readonly labels: Float64Array;
};

/** The random words of all resamples, `[1000, width]`: made once, since drawing takes longer than the means of what was drawn. */
export type ResamplingWords = { readonly words: Uint32Array; readonly width: number };

/** For resamples of splits of up to so many rows. */
export function resamplingWords(seed: number, rows: number): ResamplingWords {
	const width = Math.min(rows, MOST_ROWS);
	const words = new Uint32Array(RESAMPLES * width);
	counterRandom(seed, 'bootstrap').fill(words);
	return { words, width };
}

/** The rows of a split that are drawn from, and 1,000 resamples of them, one after the other, each of as many. */
export type Resamples = { readonly count: number; readonly rows: Uint32Array; readonly drawn: Uint32Array };

/** The resamples of a split of `count` rows, for which `words` are enough; of more than 1,000 rows so many are drawn without replacement first. */
export function resamplesOf(count: number, { words, width }: ResamplingWords, seed: number): Resamples {
	const all = Uint32Array.from({ length: count }, (_, i) => i);
	const rows = count <= MOST_ROWS ? all : shuffle(all, counterRandom(seed, 'bootstrap/rows')).slice(0, MOST_ROWS);
	const size = rows.length;
	const drawn = new Uint32Array(RESAMPLES * size);
	for (let resample = 0; resample < RESAMPLES; resample++)
		for (let i = 0; i < size; i++)
			drawn[resample * size + i] = rows[(((words[resample * width + i] as number) / 2 ** 32) * size) >>> 0] as number;
	return { count, rows, drawn };
}

/** The value of each row whose mean a metric is, and what is done to the mean; null for a metric that is no mean over rows. */
function meanOver(
	{ task, loss, predictions, labels }: JudgedRows,
	metric: string,
): { values: Float64Array; of: (mean: number) => number } | null {
	const plain = (values: Float64Array) => ({ values, of: (mean: number) => mean });
	if (metric === 'loss') return plain(rowLosses(task, loss, predictions, labels));
	if ('values' in predictions) {
		const { quantiles } = predictions;
		if (metric === 'coverage' && quantiles !== undefined) return plain(coveredRows(quantiles, labels));
		if (metric === 'interval_width' && quantiles !== undefined) return plain(intervalWidths(quantiles, labels.length));
		const errors = labels.map((label, i) => Math.abs((predictions.values[i] as number) - label));
		if (metric === 'mae') return plain(errors);
		return metric === 'rmse' ? { values: errors.map((error) => error ** 2), of: Math.sqrt } : null;
	}
	if (metric !== 'accuracy' && metric !== 'subset_accuracy') return null;
	const { width, predicted } = decisionsOf(task, predictions);
	return plain(
		Float64Array.from({ length: labels.length / width }, (_, i) => {
			let right = 0;
			for (let at = i * width; at < (i + 1) * width; at++) if (predicted[at] === labels[at]) right++;
			return metric === 'accuracy' ? right / width : Number(right === width);
		}),
	);
}

/** Those rows of a table of N rows. */
const rowsOf = <T extends Float32Array | Float64Array>(table: T, count: number, rows: Uint32Array): T => {
	const width = table.length / count;
	const taken = new (table.constructor as new (length: number) => T)(rows.length * width);
	rows.forEach((row, i) => taken.set(table.subarray(row * width, (row + 1) * width), i * width));
	return taken;
};

/** AUROC or AUPRC of some of the rows, as `metricsOf` has them; null for a task that has none. */
function rankingOfRows(
	{ task, predictions, labels }: JudgedRows,
	count: number,
	metric: 'auroc' | 'auprc',
): ((rows: Uint32Array) => number | null) | null {
	if ('values' in predictions) return null;
	const { probabilities } = predictions;
	const width = probabilities.length / count;
	const isMultilabel = task.type === 'multilabel';
	const columns = task.type === 'binary' ? [1] : Array.from({ length: width }, (_, c) => c);
	const rankings = columns.map((c) =>
		rankingOfCounts(
			Float32Array.from({ length: count }, (_, i) => probabilities[i * width + c] as number),
			(row) => (isMultilabel ? labels[row * width + c] === 1 : labels[row] === c),
		),
	);
	const counts = new Uint32Array(count);
	return (rows) => {
		counts.fill(0);
		for (const row of rows) counts[row] = (counts[row] as number) + 1;
		const values = rankings.map((of) => of(counts)[metric]);
		const known = values.filter((value) => value !== null);
		if (known.length === 0 || (!isMultilabel && known.length < values.length)) return null;
		return known.reduce((sum, value) => sum + value, 0) / known.length;
	};
}

/** A metric of some of the rows, with repeats; null where it is undefined. */
function metricOfRows(judged: JudgedRows, count: number, metric: string): (rows: Uint32Array) => number | null {
	const mean = meanOver(judged, metric);
	if (mean !== null) {
		const { values, of } = mean;
		return (rows) => {
			let sum = 0;
			for (let i = 0; i < rows.length; i++) sum += values[rows[i] as number] as number;
			return of(sum / rows.length);
		};
	}
	const ranking = metric === 'auroc' || metric === 'auprc' ? rankingOfRows(judged, count, metric) : null;
	if (ranking !== null) return ranking;
	const { task, loss, predictions, labels } = judged;
	return (rows) => {
		const taken: Predictions =
			'values' in predictions
				? {
						values: rowsOf(predictions.values, count, rows),
						...(predictions.quantiles === undefined ? {} : { quantiles: rowsOf(predictions.quantiles, count, rows) }),
					}
				: { logits: rowsOf(predictions.logits, count, rows), probabilities: rowsOf(predictions.probabilities, count, rows) };
		return metricsOf(task, taken, rowsOf(labels, count, rows), loss, false)[metric] ?? null;
	};
}

/**
 * What a metric of N rows is in each of 1,000 resamples, null where it is undefined, as distances from what it is over the rows that they are of; multiplied by
 * √(1,000/N) where those are 1,000 of N rows, as in `bootstrapInterval`. Two models that are judged on equal resamples can be compared pair by pair. Null where the
 * metric is undefined over all rows, or there are fewer than two.
 */
export function resampledMetric(judged: JudgedRows, metric: string, { count, rows, drawn }: Resamples): (number | null)[] | null {
	const size = rows.length;
	const metricOf = metricOfRows(judged, count, metric);
	const center = metricOf(rows);
	if (count < 2 || center === null) return null;
	return Array.from({ length: RESAMPLES }, (_, i) => {
		const one = metricOf(drawn.subarray(i * size, (i + 1) * size));
		return one === null || !Number.isFinite(one) ? null : (one - center) * Math.sqrt(size / count);
	});
}

/**
 * The 95 % interval of a metric over rows by the bootstrap: the percentiles of its values over 1,000 resamples with replacement (Efron 1979). Where these are of 1,000 of N
 * rows, the distances of the percentiles from their metric are multiplied by √(1,000/N) (Bickel, Götze and van Zwet 1997). Null where the metric is undefined in too many
 * resamples.
 *
 * @param value the metric over all rows
 */
export function bootstrapInterval(
	judged: JudgedRows,
	metric: string,
	value: number | null,
	{ count, rows, drawn }: Resamples,
): Bounds | null {
	if (value === null || count < 2) return null;
	const size = rows.length;
	const metricOf = metricOfRows(judged, count, metric);
	const found: number[] = [];
	for (let start = 0; start < drawn.length; start += size) {
		const one = metricOf(drawn.subarray(start, start + size));
		if (one !== null && Number.isFinite(one)) found.push(one);
	}
	const center = size === count ? value : metricOf(rows);
	if (center === null || found.length < LEAST_DEFINED * RESAMPLES) return null;
	const sorted = Float64Array.from(found).sort();
	const [low, high] = QUANTILES.map((q) => value + (quantile(sorted, q) - center) * Math.sqrt(size / count)) as [number, number];
	return { low, high };
}
