import type { SweepResource } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { jobsLoaded, jobWith } from '../live/jobs.js';
import { linkTo } from '../router.js';
import { valueText } from './dimension-name.js';
import { whyFailed } from './why-failed.js';

/** Trials that are shown. */
const MOST = 50;

/** The trials of a sweep that have no value, and why. */
export function FailedTrials({ sweep: { trials, spec } }: { sweep: SweepResource }): VNode | null {
	const failed = trials.filter(({ state }) => state === 'failed');
	if (failed.length === 0) return null;
	return (
		<>
			<h2>Trials that failed</h2>
			<div class="scroll" tabIndex={0} role="region" aria-label="Trials that failed">
				<table>
					<thead>
						<tr>
							<th scope="col">trial</th>
							<th scope="col">why</th>
							<th scope="col">values</th>
						</tr>
					</thead>
					<tbody>
						{failed.slice(0, MOST).map(({ trial, job: id, assignment }) => {
							const job = jobWith(id);
							return (
								<tr key={trial}>
									<th scope="row">{job === null ? `trial ${trial}` : <a href={linkTo(`/jobs/${id}`)}>trial {trial}</a>}</th>
									<td>{job !== null || jobsLoaded.value ? whyFailed(job, spec) : '…'}</td>
									<td>
										{Object.entries(assignment).map(([path, value]) => (
											<div key={path}>
												<span class="quiet">{path}</span> {valueText(value)}
											</div>
										))}
									</td>
								</tr>
							);
						})}
					</tbody>
				</table>
			</div>
			{failed.length > MOST && (
				<p class="quiet">
					The first {MOST} of {failed.length}.
				</p>
			)}
		</>
	);
}
