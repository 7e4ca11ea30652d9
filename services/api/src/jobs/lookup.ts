import { isId, type JobResource, ProblemError } from '@steelyard/contracts';
import type { Queue } from '@steelyard/queue';

/** Gives the record of a job. Throws ProblemError `not_found`. */
export type JobLookup = (id: string) => Promise<JobResource>;

/** Makes the lookup of jobs, by the ids that clients send. */
export const createJobLookup =
	(queue: Queue): JobLookup =>
	async (id) => {
		const job = isId('job', id) ? await queue.jobs.get(id) : null;
		if (job === null) throw new ProblemError('not_found', `There is no job ${id}`, 'id');
		return job;
	};
