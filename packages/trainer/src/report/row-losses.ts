import type { TaskProfile } from '@steelyard/contracts';
import type { Predictions } from './predictions.js';

/** log(1 + exp z) of any z, without overflow. */
const softplus = (z: number): number => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));

/** log Σ_c exp z_c − z_label of the logits of one row. */
function crossEntropy(logits: Float32Array, label: number): number {
	const most = logits.reduce((a, b) => Math.max(a, b));
	return Math.log(logits.reduce((sum, z) => sum + Math.exp(z - most), 0)) + most - (logits[label] as number);
}

/**
 * What each of N rows adds to the loss, `[N]`: the negative log likelihood of its class, or its mean over the labels of a multilabel row, in nats, or the squared
 * error. Classes are judged by their logits, in float64: a probability that float32 rounds to 0 or 1 has forgotten how wrong it is. Labels are `[N]`, of multilabel
 * `[N, labels]`.
 */
export function rowLosses({ type, outputs }: TaskProfile, predictions: Predictions, labels: Float64Array): Float64Array {
	if ('values' in predictions) return labels.map((label, i) => ((predictions.values[i] as number) - label) ** 2);
	const { logits } = predictions;
	if (type === 'multiclass') return labels.map((label, i) => crossEntropy(logits.subarray(i * outputs, (i + 1) * outputs), label));
	return Float64Array.from({ length: labels.length / outputs }, (_, i) => {
		let sum = 0;
		for (let at = i * outputs; at < (i + 1) * outputs; at++)
			sum += softplus(labels[at] === 1 ? -(logits[at] as number) : (logits[at] as number));
		return sum / outputs;
	});
}
