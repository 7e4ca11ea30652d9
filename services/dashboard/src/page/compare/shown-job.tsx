import type { JobResource } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { nameOf } from '../job-status.js';
import { linkTo } from '../router.js';

/** A job that is compared, and which colour it has in all pictures. */
export type ShownJob = { job: JobResource; color: number };

/** The name of a job with its colour. */
export function JobName({ job, color }: ShownJob): VNode {
	return (
		<span class={`series-${color % 8}`}>
			<span class="swatch" aria-hidden="true" />
			<a href={linkTo(`/jobs/${job.id}`)}>{nameOf(job)}</a>
		</span>
	);
}
