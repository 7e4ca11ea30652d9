import { useSignal } from '@preact/signals';
import type { JobResource } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import { duration, figure, percent } from '../format.js';
import { notifyWhenEnded } from '../live/notices.js';
import type { TabProps } from './tab.js';

const STAGES: readonly (readonly [NonNullable<JobResource['stage']>, string])[] = [
	['preparing', 'Prepare'],
	['unimodal', 'Each modality alone'],
	['fusion', 'Fusion'],
	['evaluating', 'Judge'],
	['exporting', 'Export'],
];

/** How far a job has come, and how long it will probably still take. */
export function Stages({ view, job }: TabProps): VNode {
	const progress = view.progress.value;
	const at = STAGES.findIndex(([stage]) => stage === job.stage);
	const isAsked = useSignal(false);
	useEffect(() => {
		isAsked.value = false;
	}, [job.id]);
	return (
		<section class="card" aria-label="Progress">
			<ol class="stages">
				{STAGES.map(([stage, title], i) => (
					<li key={stage} class={i < at ? 'done' : i === at ? 'now' : ''} aria-current={i === at ? 'step' : undefined}>
						{i < at ? '✓ ' : ''}
						{title}
					</li>
				))}
			</ol>
			<progress value={job.progress} max={1} aria-label="Progress of the whole job" />
			<p>
				{job.status === 'queued'
					? 'It waits for a worker.'
					: job.status === 'paused'
						? 'It is paused, and keeps its last checkpoint.'
						: `${percent(job.progress)} done`}
				{job.eta_seconds !== null && `, about ${duration(job.eta_seconds)} left`}
				{progress !== null &&
					` · ${progress.model}: epoch ${progress.epoch + 1} of at most ${progress.epochs}, loss ${figure(progress.loss)}, ${figure(progress.rows_per_second, 3)} rows/s`}
			</p>
			{'Notification' in globalThis && (
				<p>
					<button
						type="button"
						class="quiet-button"
						disabled={isAsked.value}
						onClick={() => void notifyWhenEnded(job.id).then((granted) => (isAsked.value = granted))}
					>
						{isAsked.value ? 'This browser will tell you when it ends' : 'Tell me when it ends'}
					</button>
				</p>
			)}
		</section>
	);
}
