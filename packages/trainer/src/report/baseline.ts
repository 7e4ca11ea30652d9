import type { TaskProfile } from '@steelyard/contracts';
import { type Predictions, predictionsFrom } from './predictions.js';

/** Logits, or the value, of a model that sees no modality: from the frequencies of the training labels with one row more of each class or flag, or their mean. */
function constantOutputs({ type, outputs }: TaskProfile, training: Float64Array): number[] {
	if (type === 'regression') return [training.reduce((sum, label) => sum + label, 0) / training.length];
	const count = (of: (label: number, at: number) => boolean): number => training.filter(of).length + 1;
	if (type === 'multiclass') return Array.from({ length: outputs }, (_, c) => Math.log(count((label) => label === c)));
	return Array.from({ length: outputs }, (_, k) => {
		const has = (flag: number) => count((label, at) => at % outputs === k && label === flag);
		return Math.log(has(1) / has(0));
	});
}

/** What a model that sees no modality predicts for so many rows. */
export function baselineFor(task: TaskProfile, training: Float64Array, rows: number): Predictions {
	const constant = constantOutputs(task, training);
	return predictionsFrom(
		task,
		Float32Array.from({ length: rows * task.outputs }, (_, at) => constant[at % task.outputs] as number),
	);
}
