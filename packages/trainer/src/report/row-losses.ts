import type { TaskProfile, TrainedLoss } from '@steelyard/contracts';
import type { Predictions } from './predictions.js';
import { pinballOf } from './quantile-figures.js';

/** log(1 + exp z) of any z, without overflow. */
const softplus = (z: number): number => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));

/** log Σ exp z, without overflow. */
function logSumExp(logits: Float32Array): number {
	const most = logits.reduce((a, b) => Math.max(a, b));
	return Math.log(logits.reduce((sum, z) => sum + Math.exp(z - most), 0)) + most;
}

/** The loss of a class by −log p of it, the sum of the other probabilities, and the mean of −log p over all classes; each is asked for only where the loss needs it. */
export function lossOfClass(loss: TrainedLoss, entropy: number, others: () => number, meanEntropy: () => number): number {
	if (typeof loss !== 'object') return entropy;
	if (loss.name === 'focal') return others() ** loss.gamma * entropy;
	const smoothing = loss.name === 'cross_entropy' ? loss.labelSmoothing : 0;
	return (1 - smoothing) * entropy + smoothing * meanEntropy();
}

/** The loss of one row, or position, of a multiclass task. */
export function classLoss(loss: TrainedLoss, logits: Float32Array, label: number): number {
	const total = logSumExp(logits);
	return lossOfClass(
		loss,
		total - (logits[label] as number),
		() => logits.reduce((sum, z, c) => (c === label ? sum : sum + Math.exp(z - total)), 0),
		() => total - logits.reduce((sum, z) => sum + z, 0) / logits.length,
	);
}

/** The loss of one label, 0 or 1. */
export function labelLoss(loss: TrainedLoss, logit: number, label: number): number {
	const z = label === 1 ? logit : -logit;
	if (typeof loss !== 'object') return softplus(-z);
	if (loss.name === 'binary_focal') {
		const factor = loss.alpha === null ? 1 : label === 1 ? loss.alpha : 1 - loss.alpha;
		return factor * Math.exp(-loss.gamma * softplus(z)) * softplus(-z);
	}
	const smoothing = loss.name === 'binary_cross_entropy' ? loss.labelSmoothing : 0;
	return softplus(-z) + (smoothing / 2) * z;
}

/** The loss of one value; that of quantiles is `pinballOf`. */
export function valueLoss(loss: TrainedLoss, error: number): number {
	if (typeof loss === 'object' && loss.name === 'huber') {
		const held = Math.min(Math.abs(error), loss.delta);
		return held * (Math.abs(error) - held / 2);
	}
	return loss === 'mae' ? Math.abs(error) : error ** 2;
}

/** The loss of each row of a regression. Throws RangeError where the loss is of quantiles and the model gave none. */
function valueLosses(
	loss: TrainedLoss,
	{ values, quantiles }: Extract<Predictions, { values: Float32Array }>,
	labels: Float64Array,
): Float64Array {
	if (typeof loss !== 'object' || loss.name !== 'quantile') return labels.map((label, i) => valueLoss(loss, (values[i] as number) - label));
	if (quantiles === undefined) throw new RangeError('the loss quantile: expected quantiles of each row, found one value');
	return labels.map((label, i) => pinballOf(loss.quantiles, quantiles, i, label));
}

/**
 * What each of N rows adds to the loss that is minimised, `[N]`, as `lossOf` defines it: of classes and labels by their logits, of a regression by values or quantiles on the raw
 * scale. In float64, by logits: a probability that float32 rounds to 0 or 1 has forgotten how wrong it is. Labels are `[N]`, of multilabel `[N, labels]`.
 */
export function rowLosses({ type, outputs }: TaskProfile, loss: TrainedLoss, predictions: Predictions, labels: Float64Array): Float64Array {
	if ('values' in predictions) return valueLosses(loss, predictions, labels);
	const { logits } = predictions;
	if (type === 'multiclass') return labels.map((label, i) => classLoss(loss, logits.subarray(i * outputs, (i + 1) * outputs), label));
	return Float64Array.from({ length: labels.length / outputs }, (_, i) => {
		let sum = 0;
		for (let at = i * outputs; at < (i + 1) * outputs; at++) sum += labelLoss(loss, logits[at] as number, labels[at] as number);
		return sum / outputs;
	});
}
