import type { JobResource, SweepResource } from '@steelyard/contracts';

/** Why a trial of a sweep has no value. `job` is null where there is no such job. */
export function whyFailed(job: Pick<JobResource, 'status' | 'error'> | null, { metric }: Pick<SweepResource['spec'], 'metric'>): string {
	if (job === null) return 'There is no such job: its values make none, or it was deleted.';
	if (job.error !== null) return job.error.message;
	if (job.status === 'cancelled') return 'The job was cancelled.';
	return `The result of the job has no finite ${metric} on validation.`;
}
