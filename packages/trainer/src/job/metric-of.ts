import type { JobSpec } from '@steelyard/contracts';

/** The validation metric by which a job chooses its best epoch. */
export const metricOf = ({ training: { early_stopping: stopping } }: JobSpec): string => stopping?.metric ?? 'loss';
