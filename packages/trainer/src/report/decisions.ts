import type { TaskProfile } from '@steelyard/contracts';
import { topClass } from './metrics.js';
import { LABEL_THRESHOLD } from './multilabel-metrics.js';
import type { Predictions } from './predictions.js';

/** What predictions decide: the class, the value, or for every label whether it applies, and how probable the model held that to be. */
export type Decisions = {
	/** Numbers per row: 1, or one per label. */
	readonly width: number;
	/** `[N, width]`: class index, value, or 0 and 1. */
	readonly predicted: Float64Array;
	/** `[N, width]`: of the predicted class, or that a label applies; null for regression. */
	readonly probability: Float32Array | null;
};

/** What N predictions decide, by the rule of the exported graph's `prediction`: the first of equally probable classes, labels above ½ or their thresholds. */
export function decisionsOf(task: TaskProfile, predictions: Predictions): Decisions {
	if ('values' in predictions) return { width: 1, predicted: Float64Array.from(predictions.values), probability: null };
	const { probabilities, thresholds } = predictions;
	if (task.type === 'multilabel') {
		const predicted = Float64Array.from(probabilities, (p, at) => (p > (thresholds?.[at % task.outputs] ?? LABEL_THRESHOLD) ? 1 : 0));
		return { width: task.outputs, predicted, probability: probabilities };
	}
	const classes = task.type === 'binary' ? 2 : task.outputs;
	const predicted = Float64Array.from({ length: probabilities.length / classes }, (_, i) => topClass(probabilities, classes, i));
	return { width: 1, predicted, probability: Float32Array.from(predicted, (top, i) => probabilities[i * classes + top] as number) };
}
