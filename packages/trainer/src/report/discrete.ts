import type { TaskProfile } from '@steelyard/contracts';
import { quantile } from '@steelyard/weighting';
import { decisionsOf } from './decisions.js';
import type { Predictions } from './predictions.js';

/** Labels and predictions as values from 0: for regression the tercile of the training labels, for multilabel one sequence per label. */
export type Discrete = {
	/** Values that a sequence can have. */
	readonly values: number;
	/** The two values between which terciles change; null for all tasks but regression. */
	readonly cuts: readonly number[] | null;
	/** `[N]` each: one per label for multilabel, else one. */
	readonly labels: (labels: Float64Array) => Int32Array[];
	readonly predictions: (predictions: Predictions) => Int32Array[];
};

/** How to make values of a task's labels and predictions; `training` are the raw labels of the training rows, at least one. */
export function discrete(task: TaskProfile, training: Float64Array): Discrete {
	const regression = task.type === 'regression';
	const sorted = training.toSorted();
	const cuts = regression ? [quantile(sorted, 1 / 3), quantile(sorted, 2 / 3)] : null;
	const width = task.type === 'multilabel' ? task.outputs : 1;
	const valueOf = (number: number): number => (cuts === null ? number : cuts.filter((cut) => number > cut).length);
	const sequences = (numbers: Float64Array): Int32Array[] =>
		Array.from({ length: width }, (_, k) =>
			Int32Array.from({ length: numbers.length / width }, (_, i) => valueOf(numbers[i * width + k] as number)),
		);
	return {
		values: regression ? 3 : task.type === 'multiclass' ? task.outputs : 2,
		cuts,
		labels: sequences,
		predictions: (predictions) => sequences(decisionsOf(task, predictions).predicted),
	};
}
