import type { SweepResource } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { figure } from '../format.js';
import { jobsLoaded, jobWith } from '../live/jobs.js';
import { jsonText } from '../new-job/snippets.js';
import { CopyButton } from '../parts/copy-button.js';
import { type Fact, Facts } from '../parts/facts.js';
import { Fold } from '../parts/fold.js';
import { linkTo } from '../router.js';
import { specWith } from './best-spec.js';
import { valueText } from './dimension-name.js';

/** The best assignment that a sweep has found: its values, its model, and a job that has them. */
export function BestTrial({ sweep: { best, spec, finished_at } }: { sweep: SweepResource }): VNode | null {
	if (best === null) return null;
	const [id = ''] = best.jobs;
	const job = jobWith(id);
	const text = jsonText(specWith(spec, best.assignment));
	const interval = best.low === null || best.high === null ? null : `${figure(best.low)} – ${figure(best.high)}`;
	return (
		<>
			<h2>{finished_at === null ? 'The best so far' : 'The best'}</h2>
			<Facts
				rows={[
					[
						`${spec.metric} on validation`,
						`${figure(best.mean)}${interval === null ? '' : ` (95 % interval ${interval}, ${best.jobs.length} seeds)`}`,
					],
					...Object.entries(best.assignment).map(([path, value]): Fact => [path, valueText(value)]),
				]}
			/>
			{job === null && jobsLoaded.value ? (
				<p class="note warn">Its job was deleted, and its model with it. The spec below trains it again.</p>
			) : (
				<p class="actions">
					<a class="button primary" href={linkTo(`/jobs/${id}/try`)}>
						Try its model
					</a>
					<a class="button" href={linkTo(`/jobs/${id}`, { tab: 'files' })}>
						Download it
					</a>
					<a class="button" href={linkTo(`/jobs/${id}`)}>
						See its job
					</a>
				</p>
			)}
			<Fold title="Its spec" mustOpen={false}>
				<p class="actions">
					<span class="hint">The job of the sweep with these values: what trains it from the beginning to the end.</span>
					<CopyButton text={text} what="the best spec" />
				</p>
				{/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so that it has to be reached by keyboard */}
				<pre tabIndex={0}>{text}</pre>
			</Fold>
		</>
	);
}
