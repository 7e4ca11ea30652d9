import { useSignal } from '@preact/signals';
import type { JobResource } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { hasEnded } from '../job-status.js';
import { ConfirmDialog } from '../parts/confirm-dialog.js';
import { go, linkTo } from '../router.js';
import { client } from '../session.js';

/** What can be done with a job now. */
export function JobActions({ job, changed }: { job: JobResource; changed: () => void }): VNode {
	const refusal = useSignal<string | null>(null);
	const isAsked = useSignal(false);
	const { id, status } = job;
	const act = (work: () => Promise<unknown>) => async (): Promise<void> => {
		refusal.value = null;
		try {
			await work();
			changed();
		} catch (error) {
			refusal.value = (error as Error).message;
		}
	};
	const { jobs } = client.value;
	const canPause = status === 'queued' || (status === 'running' && !job.cancel_requested && job.pause_requested !== true);
	const canResume = status === 'paused' || status === 'cancelled';
	const canCancel = !hasEnded(job) && !job.cancel_requested;
	return (
		<>
			{status === 'succeeded' && (
				<>
					<a class="button primary" href={linkTo(`/jobs/${id}/try`)}>
						Try it
					</a>
					<a class="button" href={linkTo(`/jobs/${id}`, { tab: 'files' })}>
						Download
					</a>
				</>
			)}
			{canPause && (
				<button type="button" onClick={() => void act(() => jobs.pause(id))()}>
					Pause
				</button>
			)}
			{canResume && (
				<button type="button" class="primary" onClick={() => void act(() => jobs.resume(id))()}>
					Resume
				</button>
			)}
			{canCancel && (
				<button type="button" onClick={() => void act(() => jobs.cancel(id))()}>
					Cancel
				</button>
			)}
			<a class="button" href={linkTo('/jobs/new', { from: id })}>
				Clone
			</a>
			<a class="button" href={linkTo('/sweeps/new', { from: id })} title="Try its settings over a range, and look for the best">
				Sweep
			</a>
			{status === 'succeeded' && (
				<a class="button" href={linkTo('/jobs/new', { from: id, continue: '1' })}>
					Continue
				</a>
			)}
			{hasEnded(job) && (
				<button type="button" class="danger" onClick={() => (isAsked.value = true)}>
					Delete
				</button>
			)}
			{refusal.value !== null && (
				<p class="field-error" role="alert">
					{refusal.value}
				</p>
			)}
			{isAsked.value && (
				<ConfirmDialog
					title="Delete this job?"
					action="Delete it"
					confirm={async () => {
						await jobs.remove(id);
						go('#/jobs');
					}}
					close={() => (isAsked.value = false)}
				>
					<p>{job.spec.name ?? id} goes with its model, its files, its events and its log. This cannot be undone.</p>
				</ConfirmDialog>
			)}
		</>
	);
}
