import type { JobTask, Metrics, TaskType, TrainedLoss, TrainedLossName } from '@steelyard/contracts';
import { multilabelMetrics } from './multilabel-metrics.js';
import type { Predictions } from './predictions.js';
import { coveredRows, intervalWidths } from './quantile-figures.js';
import { rankingMetrics } from './ranking-metrics.js';
import { rowLosses } from './row-losses.js';

const mean = (n: number, at: (i: number) => number): number => {
	let sum = 0;
	for (let i = 0; i < n; i++) sum += at(i);
	return sum / n;
};

/** Class of the highest probability, the first of equals. */
export function topClass(probabilities: Float32Array, classes: number, row: number): number {
	let top = 0;
	for (let c = 1; c < classes; c++)
		if ((probabilities[row * classes + c] as number) > (probabilities[row * classes + top] as number)) top = c;
	return top;
}

function classMetrics(probabilities: Float32Array, labels: Float64Array, classes: number, ranks: boolean): Omit<Metrics, 'loss'> {
	const n = labels.length;
	const hits = new Float64Array(classes);
	const predicted = new Float64Array(classes);
	const support = new Float64Array(classes);
	for (let i = 0; i < n; i++) {
		const top = topClass(probabilities, classes, i);
		const label = labels[i] as number;
		predicted[top] = (predicted[top] as number) + 1;
		support[label] = (support[label] as number) + 1;
		if (top === label) hits[top] = (hits[top] as number) + 1;
	}
	const f1 = Array.from(hits, (hit, c) => (hit === 0 ? 0 : (2 * hit) / ((predicted[c] as number) + (support[c] as number))));
	const seen = f1.filter((_, c) => (support[c] as number) + (predicted[c] as number) > 0);
	const column = (c: number): Float32Array => Float32Array.from({ length: n }, (_, i) => probabilities[i * classes + c] as number);
	const ranked = !ranks ? [] : classes === 2 ? [1] : [...Array(classes).keys()];
	const rankings = ranked.map((c) => rankingMetrics(column(c), (row) => labels[row] === c));
	const overClasses = (of: (ranking: (typeof rankings)[number]) => number | null): number | null => {
		const values = rankings.map(of);
		return values.length === 0 || values.some((value) => value === null) ? null : mean(values.length, (i) => values[i] as number);
	};
	return {
		accuracy: hits.reduce((sum, hit) => sum + hit, 0) / n,
		macro_f1: mean(seen.length, (i) => seen[i] as number),
		weighted_f1: f1.reduce((sum, value, c) => sum + value * (support[c] as number), 0) / n,
		auroc: overClasses(({ auroc }) => auroc),
		auprc: overClasses(({ auprc }) => auprc),
	};
}

function valueMetrics(values: Float32Array, targets: Float64Array): Omit<Metrics, 'loss'> {
	const n = targets.length;
	const error = (i: number): number => (values[i] as number) - (targets[i] as number);
	const mv = mean(n, (i) => values[i] as number);
	const mt = mean(n, (i) => targets[i] as number);
	const covariance = mean(n, (i) => ((values[i] as number) - mv) * ((targets[i] as number) - mt));
	const deviations = Math.sqrt(mean(n, (i) => ((values[i] as number) - mv) ** 2) * mean(n, (i) => ((targets[i] as number) - mt) ** 2));
	const constant = (all: ArrayLike<number>): boolean => Array.prototype.every.call(all, (value: number) => value === all[0]);
	const undefinedCorrelation = deviations === 0 || constant(values) || constant(targets);
	return {
		mae: mean(n, (i) => Math.abs(error(i))),
		rmse: Math.sqrt(mean(n, (i) => error(i) ** 2)),
		pearson: undefinedCorrelation ? null : covariance / deviations,
	};
}

/** What quantiles are judged by beside their medians; `loss` is their pinball loss. */
function quantileMetrics(quantiles: Float32Array, labels: Float64Array, loss: number): Metrics {
	const [covered, widths] = [coveredRows(quantiles, labels), intervalWidths(quantiles, labels.length)];
	return {
		pinball: loss,
		coverage: mean(labels.length, (i) => covered[i] as number),
		interval_width: mean(labels.length, (i) => widths[i] as number),
	};
}

/** The loss of a job that names none. */
const PLAIN: Record<TaskType, TrainedLossName> = {
	binary: 'binary_cross_entropy',
	multiclass: 'cross_entropy',
	multilabel: 'binary_cross_entropy',
	regression: 'mse',
};

const plainLoss = ({ type, quantiles }: JobTask): TrainedLoss => (quantiles === undefined ? PLAIN[type] : { name: 'quantile', quantiles });

/**
 * Metrics of predictions against raw labels; the loss is that of `lossOf`, cross entropy, squared error or that of quantiles unless given. Classes: loss (mean over rows, of the logits), accuracy, macro_f1 and weighted_f1 (over classes that occur),
 * auroc and auprc (one against the rest, mean over classes; null where a class is absent). Multilabel: see `multilabelMetrics`. Regression: loss (mean
 * error), mae, rmse, pearson; of quantiles these are of the median, the loss is the pinball loss, and pinball, coverage and interval_width come with them. Labels are `[N]`, of multilabel `[N, labels]`. Without `ranks` auroc and auprc, which take most of the time, are left null.
 */
export function metricsOf(task: JobTask, predictions: Predictions, labels: Float64Array, loss?: TrainedLoss, ranks = true): Metrics {
	const losses = rowLosses(task, loss ?? plainLoss(task), predictions, labels);
	const figure = mean(losses.length, (i) => losses[i] as number);
	if ('values' in predictions) {
		const { values, quantiles } = predictions;
		return {
			loss: figure,
			...valueMetrics(values, labels),
			...(quantiles === undefined ? {} : quantileMetrics(quantiles, labels, figure)),
		};
	}
	if (task.type === 'multilabel') {
		const { probabilities, thresholds } = predictions;
		return {
			loss: figure,
			...multilabelMetrics(probabilities, labels, task.outputs, { ranks, ...(thresholds === undefined ? {} : { thresholds }) }),
		};
	}
	return { loss: figure, ...classMetrics(predictions.probabilities, labels, task.type === 'binary' ? 2 : task.outputs, ranks) };
}

/** Whether a higher value of the metric is better. */
export const higherIsBetter = (metric: string): boolean => !['loss', 'mae', 'rmse', 'pinball', 'interval_width'].includes(metric);

/** Whether one value of the metric is better than another. */
export const isBetter = (metric: string, value: number, than: number): boolean => (higherIsBetter(metric) ? value > than : value < than);
