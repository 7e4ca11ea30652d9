import type { JobResource } from './job.js';
import { projectOf } from './project.js';

/**
 * What the lines of the service's logs say that are about a job: the job, its attempt, its project, and the request that posted it, by which all of them are
 * found.
 */
export type JobLogFields = { job: string; attempt: number; project: string; request?: string };

export const logFieldsOf = (job: Pick<JobResource, 'id' | 'attempt' | 'project' | 'request_id'>): JobLogFields => ({
	job: job.id,
	attempt: job.attempt,
	project: projectOf(job),
	...(job.request_id === undefined ? {} : { request: job.request_id }),
});
