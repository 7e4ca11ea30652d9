import { type JobTask, medianOf } from '@steelyard/contracts';
import { columnOf } from '@steelyard/weighting';

/**
 * What a model predicts for N examples: logits `[N, outputs]` and their probabilities `[N, classes]` (two columns for binary, one per label for multilabel), or
 * values `[N]` on the raw scale, which under quantiles are the medians.
 */
export type Predictions =
	| {
			readonly logits: Float32Array;
			readonly probabilities: Float32Array;
			/** Of multilabel, above which probability each label is predicted; ½ for all unless given. */
			readonly thresholds?: readonly number[];
	  }
	| {
			readonly values: Float32Array;
			/** `[N, quantiles]`, those of a row in rising order; of a job on quantiles. */
			readonly quantiles?: Float32Array;
	  };

/** What a model gave of the rows: logits `[N, outputs]`, values `[N]` or quantiles `[N, quantiles]`. */
export const numbersOf = (predictions: Predictions): Float32Array =>
	'values' in predictions ? (predictions.quantiles ?? predictions.values) : predictions.logits;

/** The predictions that a model's outputs stand for: logits and their probabilities (softmax; two columns of a sigmoid for binary, one per label for multilabel), values, or quantiles with their medians. */
export function predictionsFrom(task: JobTask, outputs: Float32Array): Predictions {
	if (task.quantiles !== undefined) return { values: columnOf(outputs, task.outputs, medianOf(task.quantiles)), quantiles: outputs };
	if (task.type === 'regression') return { values: outputs };
	if (task.type === 'binary') {
		const probabilities = new Float32Array(outputs.length * 2);
		outputs.forEach((z, i) => {
			probabilities[2 * i] = 1 / (1 + Math.exp(z));
			probabilities[2 * i + 1] = 1 / (1 + Math.exp(-z));
		});
		return { logits: outputs, probabilities };
	}
	if (task.type === 'multilabel') return { logits: outputs, probabilities: outputs.map((z) => 1 / (1 + Math.exp(-z))) };
	const classes = task.outputs;
	const probabilities = new Float32Array(outputs.length);
	for (let row = 0; row < outputs.length; row += classes) {
		const logits = outputs.subarray(row, row + classes);
		const most = logits.reduce((a, b) => Math.max(a, b));
		const sum = logits.reduce((total, z) => total + Math.exp(z - most), 0);
		logits.forEach((z, c) => {
			probabilities[row + c] = Math.exp(z - most) / sum;
		});
	}
	return { logits: outputs, probabilities };
}
