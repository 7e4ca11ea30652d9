import { useSignal } from '@preact/signals';
import type { JobLogLine } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import { hasEnded } from '../job-status.js';
import { Problem } from '../parts/problem.js';
import { client } from '../session.js';
import type { TabProps } from './tab.js';

/** Lines that are kept in the page; the file of the log has all. */
const MOST_LINES = 2000;

/** The log of a job, to which lines are added as the job goes on. */
export function LogTab({ view, job }: TabProps): VNode {
	const lines = useSignal<readonly JobLogLine[]>([]);
	const error = useSignal<Error | null>(null);
	// Whatever happens to the job may have written a line.
	const happened = `${job.status} ${job.stage} ${view.epochs.value.length} ${view.progress.value?.id}`;
	useEffect(() => {
		let isLeft = false;
		const read = async (): Promise<void> => {
			const after = lines.peek().at(-1)?.id;
			const page = await client.value.jobs.logs(job.id, { limit: 1000, ...(after === undefined ? {} : { after }) } as never);
			if (isLeft || page.data.length === 0) return;
			lines.value = [...lines.peek(), ...page.data].slice(-MOST_LINES);
			if (page.has_more && after !== undefined) await read();
		};
		read().then(
			() => (error.value = null),
			(reason: Error) => (error.value = reason),
		);
		return () => {
			isLeft = true;
		};
	}, [happened]);
	return (
		<>
			{error.value !== null && <Problem error={error.value} title="The log could not be read" />}
			{lines.value.length === 0 ? (
				<p class="quiet">{hasEnded(job) ? 'The job has written nothing.' : 'Nothing has been written yet.'}</p>
			) : (
				<div class="scroll log" tabIndex={0} role="log" aria-label="Log of the job">
					{lines.value.map(({ id, at, level, attempt, message }) => (
						<div key={id} class={level}>
							<time dateTime={new Date(at).toISOString()}>{new Date(at).toLocaleTimeString('en-GB')}</time>{' '}
							{attempt > 1 && `(attempt ${attempt}) `}
							{level !== 'info' && <b>{level} </b>}
							{message}
						</div>
					))}
				</div>
			)}
		</>
	);
}
