import type { JobResource } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { percent } from '../format.js';

/** How a status is shown: not by its colour alone, but by a sign too. */
const SIGNS: Readonly<Record<JobResource['status'], string>> = {
	queued: '◷',
	running: '▶',
	paused: '‖',
	succeeded: '✓',
	failed: '✕',
	cancelled: '⊘',
};

/** The status of a job, and while it runs how far it is. */
export function Status({ job }: { job: Pick<JobResource, 'status' | 'progress' | 'cancel_requested' | 'pause_requested'> }): VNode {
	const asked = job.status !== 'running' ? '' : job.cancel_requested ? ', stops' : job.pause_requested === true ? ', pauses' : '';
	return (
		<span class={`status ${job.status}`}>
			<span aria-hidden="true">{SIGNS[job.status]}</span> {job.status}
			{job.status === 'running' && ` ${percent(job.progress)}`}
			{asked}
		</span>
	);
}
