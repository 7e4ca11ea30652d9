import type { Metrics, TaskProfile, TrainedLoss } from '@steelyard/contracts';
import { classLoss, labelLoss, valueLoss } from './row-losses.js';

type Labels = Int32Array | Float32Array;

/** Where the logits of a row lie: that of class c of position p at p·ofPosition + c·ofClass. */
type Strides = { readonly ofPosition: number; readonly ofClass: number };

/** Metrics that grow with every row: the predictions of all positions of a split would not fit into memory. */
export type PositionMetrics = {
	/** Takes the logits or values of a row and its labels `[positions]`, raw: below 0, or NaN of a value, is a position that does not count. Gives the sum of the row's losses. */
	add(logits: Float32Array, labels: Labels): number;
	result(): Metrics;
};

const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);
const mean = (values: readonly number[]): number | null =>
	ratio(
		values.reduce((sum, value) => sum + value, 0),
		values.length,
	);

/** What gives the class of a position: the index of the highest logit (of equals the first), or 1 where the one logit of a binary task is above 0. Each with the loss of `label`. */
type Judge = (logits: Float32Array, position: number, label: number) => { predicted: number; loss: number };

const byOneLogit =
	(loss: TrainedLoss): Judge =>
	(logits, position, label) => {
		const z = logits[position] as number;
		return { predicted: z > 0 ? 1 : 0, loss: labelLoss(loss, z, label) };
	};

function byClasses(classes: number, { ofPosition, ofClass: step }: Strides, loss: TrainedLoss): Judge {
	const ofOne = new Float32Array(typeof loss === 'object' ? classes : 0);
	return (logits, position, label) => {
		const start = position * ofPosition;
		let predicted = 0;
		let highest = logits[start] as number;
		for (let c = 1, at = start + step; c < classes; c++, at += step)
			if ((logits[at] as number) > highest) {
				highest = logits[at] as number;
				predicted = c;
			}
		if (typeof loss === 'object') {
			for (let c = 0, at = start; c < classes; c++, at += step) ofOne[c] = logits[at] as number;
			return { predicted, loss: classLoss(loss, ofOne, label) };
		}
		let sum = 0;
		for (let c = 0, at = start; c < classes; c++, at += step) sum += Math.exp((logits[at] as number) - highest);
		return { predicted, loss: Math.log(sum) + highest - (logits[start + label * step] as number) };
	};
}

function ofClasses(classes: number, judge: Judge): PositionMetrics {
	const [hits, predictedAs, support] = [new Float64Array(classes), new Float64Array(classes), new Float64Array(classes)];
	let [count, right, total] = [0, 0, 0];
	return {
		add(logits, labels) {
			let ofRow = 0;
			for (let position = 0; position < labels.length; position++) {
				const label = labels[position] as number;
				if (label < 0) continue;
				const { predicted, loss } = judge(logits, position, label);
				count++;
				ofRow += loss;
				predictedAs[predicted] = (predictedAs[predicted] as number) + 1;
				support[label] = (support[label] as number) + 1;
				if (predicted !== label) continue;
				right++;
				hits[label] = (hits[label] as number) + 1;
			}
			total += ofRow;
			return ofRow;
		},
		result() {
			const seen = [...hits.keys()].filter((c) => (support[c] as number) + (predictedAs[c] as number) > 0);
			const f1 = (c: number): number => (2 * (hits[c] as number)) / ((support[c] as number) + (predictedAs[c] as number));
			const iou = (c: number): number => (hits[c] as number) / ((support[c] as number) + (predictedAs[c] as number) - (hits[c] as number));
			return {
				loss: ratio(total, count),
				accuracy: ratio(right, count),
				macro_f1: mean(seen.map(f1)),
				weighted_f1: ratio(
					seen.reduce((sum, c) => sum + f1(c) * (support[c] as number), 0),
					count,
				),
				mean_iou: mean(seen.map(iou)),
			};
		},
	};
}

/** Means and co-moments as they grow (Welford 1962). */
function ofValues(loss: TrainedLoss): PositionMetrics {
	let [count, total, absolute, square, meanV, meanT, varV, varT, covariance] = [0, 0, 0, 0, 0, 0, 0, 0, 0];
	return {
		add(values, labels) {
			let ofRow = 0;
			for (let position = 0; position < labels.length; position++) {
				const [value, target] = [values[position] as number, labels[position] as number];
				if (Number.isNaN(target)) continue;
				count++;
				absolute += Math.abs(value - target);
				square += (value - target) ** 2;
				ofRow += valueLoss(loss, value - target);
				const [deltaV, deltaT] = [value - meanV, target - meanT];
				meanV += deltaV / count;
				meanT += deltaT / count;
				varV += deltaV * (value - meanV);
				varT += deltaT * (target - meanT);
				covariance += deltaV * (target - meanT);
			}
			total += ofRow;
			return ofRow;
		},
		result() {
			const mse = ratio(square, count);
			return {
				loss: ratio(total, count),
				mae: ratio(absolute, count),
				rmse: mse === null ? null : Math.sqrt(mse),
				pearson: ratio(covariance, Math.sqrt(varV * varT)),
			};
		},
	};
}

/**
 * Metrics of a task whose positions have labels, over all positions that count. Classes: loss (that of the job, a mean), accuracy, macro_f1, weighted_f1 and mean_iou
 * (mean intersection over union), means over the classes that occur as label or prediction. Regression: loss, mae, rmse, pearson. Null where nothing counts.
 */
export function positionMetrics({ type, outputs }: TaskProfile, loss: TrainedLoss, strides: Strides): PositionMetrics {
	if (type === 'regression') return ofValues(loss);
	return type === 'binary' ? ofClasses(2, byOneLogit(loss)) : ofClasses(outputs, byClasses(outputs, strides, loss));
}
