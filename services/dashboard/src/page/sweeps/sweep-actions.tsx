import { useSignal } from '@preact/signals';
import type { SweepResource } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { count } from '../format.js';
import { ConfirmDialog } from '../parts/confirm-dialog.js';
import { go, linkTo } from '../router.js';
import { client } from '../session.js';
import { sweepName } from './sweep-name.js';

/** What can be done with a sweep now. */
export function SweepActions({ sweep, isStopping, changed }: { sweep: SweepResource; isStopping: boolean; changed: () => void }): VNode {
	const refusal = useSignal<string | null>(null);
	const asked = useSignal<'cancel' | 'delete' | null>(null);
	const close = (): void => {
		asked.value = null;
	};
	const { id, status, counts } = sweep;
	const { sweeps } = client.value;
	const act = async (work: () => Promise<unknown>): Promise<void> => {
		refusal.value = null;
		try {
			await work();
			changed();
		} catch (error) {
			refusal.value = (error as Error).message;
		}
	};
	const hasEnded = sweep.finished_at !== null;
	return (
		<>
			{status === 'running' && !isStopping && (
				<button type="button" onClick={() => void act(() => sweeps.pause(id))}>
					Pause
				</button>
			)}
			{status === 'paused' && (
				<button type="button" class="primary" onClick={() => void act(() => sweeps.resume(id))}>
					Resume
				</button>
			)}
			{!hasEnded && !isStopping && (
				<button type="button" onClick={() => (asked.value = 'cancel')}>
					Cancel
				</button>
			)}
			<a class="button" href={linkTo('/sweeps/new', { like: id })}>
				Clone
			</a>
			{hasEnded && (
				<button type="button" class="danger" onClick={() => (asked.value = 'delete')}>
					Delete
				</button>
			)}
			{refusal.value !== null && (
				<p class="field-error" role="alert">
					{refusal.value}
				</p>
			)}
			{asked.value === 'cancel' && (
				<ConfirmDialog
					title="Cancel this sweep?"
					action="Cancel it"
					confirm={async () => {
						await sweeps.cancel(id);
						changed();
					}}
					close={close}
				>
					<p>
						{counts.running === 0 ? 'No other trial starts' : `The ${count(counts.running, 'trial')} under way are cancelled too`}, and it
						cannot be resumed. To start no more trials for a while, pause it. What has ended stays.
					</p>
				</ConfirmDialog>
			)}
			{asked.value === 'delete' && (
				<ConfirmDialog
					title="Delete this sweep?"
					action="Delete it"
					confirm={async () => {
						await sweeps.remove(id);
						go('#/sweeps');
					}}
					close={close}
				>
					<p>The leaderboard of {sweepName(sweep)} goes. Its jobs stay, with their models. This cannot be undone.</p>
				</ConfirmDialog>
			)}
		</>
	);
}
