import type { TaskProfile } from './dataset.js';

/** The task of a job: that of its dataset, where `outputs` are the numbers that its models give of a row, and the quantiles that these are where the loss is of quantiles. */
export type JobTask = TaskProfile & {
	/** In rising order, with 0.5 among them; not there where a model gives logits or one value. */
	readonly quantiles?: readonly number[];
};

/** The task of a job on a dataset; null for no quantiles. */
export const jobTask = (task: TaskProfile, quantiles: readonly number[] | null): JobTask =>
	quantiles === null ? task : { ...task, outputs: quantiles.length, quantiles };

/** Which of the quantiles of a job is the median, counted from 0. */
export const medianOf = (quantiles: readonly number[]): number => quantiles.indexOf(0.5);
