import type { SweepResource, SweepTrial } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { jobWith } from '../live/jobs.js';
import { Status } from '../parts/status.js';

/** How a status is shown: not by its colour alone, but by a sign too. */
const SIGNS: Readonly<Record<SweepResource['status'], string>> = {
	running: '▶',
	paused: '‖',
	succeeded: '✓',
	failed: '✕',
	cancelled: '⊘',
};

/** The status of a sweep. `isStopping`: whether its jobs are being cancelled. */
export const SweepStatus = ({ status, isStopping = false }: { status: SweepResource['status']; isStopping?: boolean }): VNode => (
	<span class={`status ${status}`}>
		<span aria-hidden="true">{SIGNS[status]}</span> {status}
		{isStopping && ', stops'}
	</span>
);

/** What each state of a trial looks like: its sign, and the status of jobs whose colour it has. */
const STATES: Readonly<Record<SweepTrial['state'], readonly [sign: string, like: string]>> = {
	completed: ['✓', 'succeeded'],
	pruned: ['✂', 'quiet'],
	running: ['▶', 'running'],
	failed: ['✕', 'failed'],
};

/** The state of a trial; while it is under way that of its job, which changes alone. */
export function TrialState({ state, job: id }: { state: SweepTrial['state']; job: string | undefined }): VNode {
	const job = state === 'running' && id !== undefined ? jobWith(id) : null;
	if (job !== null && ['queued', 'running', 'paused'].includes(job.status)) return <Status job={job} />;
	const [sign, like] = STATES[state];
	return (
		<span class={`status ${like}`}>
			<span aria-hidden="true">{sign}</span> {state}
		</span>
	);
}
