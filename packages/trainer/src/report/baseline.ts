import type { JobTask, TaskProfile, TrainedLoss } from '@steelyard/contracts';
import { quantile } from '@steelyard/weighting';
import { metricsOf } from './metrics.js';
import { type Predictions, predictionsFrom } from './predictions.js';
import { labelLoss, lossOfClass, valueLoss } from './row-losses.js';

/** Logits, the value or the quantiles of a model that sees no modality: from the frequencies of the training labels with one row more of each class or flag, their mean, or their quantiles. */
function constantOutputs({ type, outputs, quantiles }: JobTask, training: Float64Array): number[] {
	if (quantiles !== undefined) {
		const sorted = training.toSorted();
		return quantiles.map((level) => quantile(sorted, level));
	}
	if (type === 'regression') return [training.reduce((sum, label) => sum + label, 0) / training.length];
	const count = (of: (label: number, at: number) => boolean): number => training.filter(of).length + 1;
	if (type === 'multiclass') return Array.from({ length: outputs }, (_, c) => Math.log(count((label) => label === c)));
	return Array.from({ length: outputs }, (_, k) => {
		const has = (flag: number) => count((label, at) => at % outputs === k && label === flag);
		return Math.log(has(1) / has(0));
	});
}

/** What a model that sees no modality predicts for so many rows. */
function baselineFor(task: JobTask, training: Float64Array, rows: number): Predictions {
	const constant = constantOutputs(task, training);
	return predictionsFrom(
		task,
		Float32Array.from({ length: rows * task.outputs }, (_, at) => constant[at % task.outputs] as number),
	);
}

/** What is known of a job by its labels alone. */
export type LabelFacts = {
	/** Of a model that sees no modality, on validation: its loss, and for a regression the root mean squared error. */
	readonly nothing: { readonly loss: number; readonly rmse: number | null };
	/** The most frequent class on validation and its share there; null for multilabel and regression. */
	readonly top: { readonly class: number; readonly share: number } | null;
	/** The different values of a regression in training and validation, in rising order; null where they are not looked at, or too many or too rare to be classes. */
	readonly values: readonly number[] | null;
};

/** Shows every label of a split that counts. */
export type EachLabel = (visit: (label: number) => void) => void;

/** Most values that labels have which look like classes, and least rows for each. */
const MOST_CLASSES = 10;
const ROWS_PER_CLASS = 5;

const countsOf = (each: EachLabel, classes: number): Float64Array => {
	const counts = new Float64Array(classes);
	each((label) => void (counts[label] = (counts[label] as number) + 1));
	return counts;
};
const total = (numbers: Float64Array): number => numbers.reduce((sum, value) => sum + value, 0);
const classesOf = ({ type, outputs }: TaskProfile): number => (type === 'binary' ? 2 : outputs);

function topOf(task: TaskProfile, validation: EachLabel): LabelFacts['top'] {
	if (task.type === 'regression' || task.type === 'multilabel') return null;
	const counts = countsOf(validation, classesOf(task));
	const top = counts.reduce((best, count, c) => (count > (counts[best] as number) ? c : best), 0);
	return { class: top, share: (counts[top] as number) / total(counts) };
}

function valuesOf({ type }: TaskProfile, labels: readonly Float64Array[]): LabelFacts['values'] {
	if (type !== 'regression') return null;
	const all = new Set<number>();
	for (const some of labels) for (const label of some) if (all.add(label).size > MOST_CLASSES) return null;
	const rows = labels.reduce((sum, { length }) => sum + length, 0);
	return rows < ROWS_PER_CLASS * all.size ? null : [...all].toSorted((a, b) => a - b);
}

/** What the raw labels `[N]`, or `[N, labels]`, of training and validation tell. */
export function labelFacts(task: JobTask, loss: TrainedLoss | undefined, train: Float64Array, validation: Float64Array): LabelFacts {
	const rows = validation.length / (task.type === 'multilabel' ? task.outputs : 1);
	const metrics = metricsOf(task, baselineFor(task, train, rows), validation, loss);
	return {
		nothing: { loss: metrics['loss'] as number, rmse: metrics['rmse'] ?? null },
		top: topOf(task, (visit) => void validation.forEach((label) => void visit(label))),
		values: valuesOf(task, [train, validation]),
	};
}

/** The mean loss on validation of the mean value of training, and its root mean squared error. */
function nothingOfValues(loss: TrainedLoss, mean: number, validation: EachLabel, count: number): LabelFacts['nothing'] {
	let [total, square] = [0, 0];
	validation((label) => {
		total += valueLoss(loss, mean - label);
		square += (mean - label) ** 2;
	});
	return { loss: total / count, rmse: Math.sqrt(square / count) };
}

/** The mean loss on validation of the class frequencies of training, with one position more of each class. */
function nothingOfClasses(task: TaskProfile, loss: TrainedLoss, train: EachLabel, validation: EachLabel): LabelFacts['nothing'] {
	const classes = classesOf(task);
	const smoothed = countsOf(train, classes).map((count) => count + 1);
	const all = total(smoothed);
	const frequency = smoothed.map((count) => count / all);
	const entropies = frequency.map((of) => -Math.log(of));
	const meanEntropy = total(entropies) / classes;
	const lossOf = (c: number): number =>
		task.type === 'binary'
			? labelLoss(loss, (entropies[0] as number) - (entropies[1] as number), c)
			: lossOfClass(
					loss,
					entropies[c] as number,
					() => 1 - (frequency[c] as number),
					() => meanEntropy,
				);
	const counts = countsOf(validation, classes);
	return { loss: counts.reduce((sum, count, c) => (count === 0 ? sum : sum + count * lossOf(c)), 0) / total(counts), rmse: null };
}

/** What the labels of the positions that count tell, without a prediction for each; null where none counts. */
export function positionFacts(task: TaskProfile, loss: TrainedLoss, train: EachLabel, validation: EachLabel): LabelFacts | null {
	let [count, trained, sum] = [0, 0, 0];
	train((label) => {
		trained += 1;
		sum += label;
	});
	validation(() => void (count += 1));
	if (count === 0 || trained === 0) return null;
	const nothing =
		task.type === 'regression' ? nothingOfValues(loss, sum / trained, validation, count) : nothingOfClasses(task, loss, train, validation);
	// a manifest says what the labels of positions are, values or classes
	return { nothing, top: topOf(task, validation), values: null };
}
