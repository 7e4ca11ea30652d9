import { isId, type JobResource, ProblemError, projectOf } from '@steelyard/contracts';
import type { Queue } from '@steelyard/queue';
import type { InProject } from '../keys/caller.js';

/** Gives the record of a job of the project of whoever asks. Throws ProblemError `not_found`, also for one of another project. */
export type JobLookup = (caller: InProject, id: string) => Promise<JobResource>;

/** Makes the lookup of jobs, by the ids that clients send. */
export const createJobLookup =
	(queue: Queue): JobLookup =>
	async ({ project }, id) => {
		const job = isId('job', id) ? await queue.jobs.get(id) : null;
		if (job === null || projectOf(job) !== project) throw new ProblemError('not_found', `There is no job ${id}`, 'id');
		return job;
	};
