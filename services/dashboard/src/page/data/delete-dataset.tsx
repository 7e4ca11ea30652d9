import { useSignal } from '@preact/signals';
import type { DatasetResource } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { bytes, count } from '../format.js';
import { useLoading } from '../loading.js';
import { Problem } from '../parts/problem.js';
import { linkTo } from '../router.js';
import { client } from '../session.js';

const MOST_JOBS = 100;

type Props = { dataset: Pick<DatasetResource, 'id' | 'name' | 'bytes'>; close: () => void; deleted: () => void };

/** Asks whether a dataset is to be deleted, and says what goes and what stays. */
export function DeleteDataset({ dataset, close, deleted }: Props): VNode {
	const dialog = useRef<HTMLDialogElement>(null);
	const refusal = useSignal<Error | null>(null);
	const isBusy = useSignal(false);
	const jobs = useLoading(() => client.value.jobs.list({ dataset: dataset.id, limit: MOST_JOBS }));
	useEffect(() => dialog.current?.showModal(), []);
	const { data = [], has_more: hasMore = false } = jobs.value.value ?? {};
	const using = data.filter(({ status }) => ['queued', 'running', 'paused'].includes(status));
	const ended = data.length - using.length;
	const remove = async (): Promise<void> => {
		isBusy.value = true;
		try {
			await client.value.datasets.remove(dataset.id);
			deleted();
		} catch (error) {
			refusal.value = error as Error;
		} finally {
			isBusy.value = false;
		}
	};
	return (
		<dialog ref={dialog} onClose={close} aria-labelledby="delete-title">
			<h2 id="delete-title">Delete {dataset.name}?</h2>
			<p>Its rows ({bytes(dataset.bytes)}) are deleted for good. There is no copy of them here.</p>
			{ended > 0 && (
				<p>
					{hasMore ? `More than ${ended}` : count(ended, 'job')} on it {ended === 1 && !hasMore ? 'has' : 'have'} ended: models and figures
					stay, but nothing can be trained again or continued.
				</p>
			)}
			{using.length > 0 && (
				<div class="note warn">
					<strong>{count(using.length, 'job still uses it', 'jobs still use it')}</strong>
					<p>Cancel what is listed here, or wait until it has ended:</p>
					<ul class="plain">
						{using.map((job) => (
							<li key={job.id}>
								<a href={linkTo(`/jobs/${job.id}`)}>{job.spec.name ?? job.id}</a>, {job.status}
							</li>
						))}
					</ul>
				</div>
			)}
			{refusal.value !== null && <Problem error={refusal.value} title="It was not deleted" />}
			<p class="actions">
				<button type="button" class="danger" disabled={isBusy.value} onClick={() => void remove()}>
					Delete it for good
				</button>
				<button type="button" onClick={close}>
					Keep it
				</button>
			</p>
		</dialog>
	);
}
