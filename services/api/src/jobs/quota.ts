import { ProblemError } from '@steelyard/contracts';
import type { Queue } from '@steelyard/queue';

/**
 * Throws ProblemError `quota_exceeded` where as many jobs of a project have not ended as may. Of several posts at the same moment each may be counted as the
 * last that there is room for.
 */
export async function expectQuota(queue: Queue, project: string, most: number): Promise<void> {
	const { queued, running, paused } = await queue.jobs.counts(project);
	const found = queued + running + paused;
	if (found >= most)
		throw new ProblemError(
			'quota_exceeded',
			`The project ${project} has ${found} jobs that have not ended, and may have ${most}: cancel some, or wait until some have ended`,
		);
}
