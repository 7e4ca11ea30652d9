import type { JobSpec, Metrics } from '@steelyard/contracts';

/** The validation metric by which a job chooses its best epoch. */
export const metricOf = ({ training: { early_stopping: stopping } }: JobSpec): string => stopping?.metric ?? 'loss';

/** The metric that sums up a model: the one that chooses its best epoch unless that is the loss, else accuracy, or the mean absolute error of a regression; the loss where there is none of these. */
export const mainMetricOf = (spec: JobSpec, metrics: Metrics): string =>
	[metricOf(spec), 'accuracy', 'mae'].find((name) => name !== 'loss' && name in metrics) ?? 'loss';
