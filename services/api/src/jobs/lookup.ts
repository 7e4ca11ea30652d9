import { type JobResource, ProblemError } from '@steelyard/contracts';
import type { Queue } from '@steelyard/queue';

/** The record of a job. Throws ProblemError `not_found`. */
export type JobLookup = (id: string) => Promise<JobResource>;

export const createJobLookup =
	(queue: Queue): JobLookup =>
	async (id) => {
		const job = /^job_[a-z0-9]{1,40}$/.test(id) ? await queue.jobs.get(id) : null;
		if (job === null) throw new ProblemError('not_found', `There is no job ${id}`, 'id');
		return job;
	};
