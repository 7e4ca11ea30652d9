import type { SweepResource } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { figure, moment } from '../format.js';
import { useOwnQuery } from '../parts/own-query.js';
import { PageTitle } from '../parts/page-title.js';
import { Problem } from '../parts/problem.js';
import { linkTo } from '../router.js';
import { useSweeps } from '../sweeps/live-sweep.js';
import { begunTrials, plannedTrials } from '../sweeps/next-step.js';
import { sweepName } from '../sweeps/sweep-name.js';
import { SweepStatus } from '../sweeps/sweep-status.js';
import '../sweeps/sweeps.css';

const PAGE = 20;

/** How far a sweep is. */
function Trials({ sweep }: { sweep: SweepResource }): VNode {
	const planned = plannedTrials(sweep);
	const ended = begunTrials(sweep) - sweep.counts.running;
	return (
		<>
			{ended.toLocaleString('en')} of {planned.toLocaleString('en')}
			{sweep.counts.running > 0 && <span class="quiet">, {sweep.counts.running} under way</span>}
			{sweep.counts.failed > 0 && <span class="bad-text">, {sweep.counts.failed} failed</span>}
			{sweep.finished_at === null && <progress value={ended} max={planned} aria-label={`Trials of ${sweepName(sweep)} that have ended`} />}
		</>
	);
}

/** Says what a sweep is, to whoever has none. */
const NoSweeps = (): VNode => (
	<div class="note">
		<strong>There are no sweeps yet</strong>
		<p>
			A sweep tries many jobs and looks for the best one: you say which settings may vary, and how much is tried. Open a{' '}
			<a href="#/jobs">job</a> and press Sweep to try its settings over a range, or <a href="#/sweeps/new">begin with an empty form</a>.
		</p>
	</div>
);

/** All sweeps of the project, live. */
export function SweepsPage(): VNode {
	const after = useOwnQuery('/sweeps', (query) => query.get('after'));
	const page = useSweeps(after, PAGE);
	const { value, error } = page.value;
	const isFirst = after.value === null;
	return (
		<>
			<PageTitle title="Sweeps">
				<a class="button primary" href="#/sweeps/new">
					New sweep
				</a>
			</PageTitle>
			{error !== null && <Problem error={error} title="The list could not be read" again={page.again} />}
			{value === null && error === null && (
				<p class="quiet" role="status">
					Loading …
				</p>
			)}
			{value !== null && value.data.length === 0 && (isFirst ? <NoSweeps /> : <p role="status">There are no more.</p>)}
			{value !== null && value.data.length > 0 && (
				<div class="scroll sweeps" tabIndex={0} role="region" aria-label="Sweeps">
					<table>
						<thead>
							<tr>
								<th scope="col">Name</th>
								<th scope="col">Status</th>
								<th scope="col">Trials</th>
								<th scope="col">Best on validation</th>
								<th scope="col">Posted</th>
								<th scope="col">Ended</th>
							</tr>
						</thead>
						<tbody>
							{value.data.map((sweep) => (
								<tr key={sweep.id}>
									<th scope="row">
										<a href={linkTo(`/sweeps/${sweep.id}`)}>{sweepName(sweep)}</a>
									</th>
									<td>
										<SweepStatus status={sweep.status} />
									</td>
									<td>
										<Trials sweep={sweep} />
									</td>
									<td>
										{sweep.best === null ? (
											'–'
										) : (
											<>
												{figure(sweep.best.mean)} <span class="quiet">{sweep.spec.metric}</span>
											</>
										)}
									</td>
									<td class="moment">{moment(sweep.created_at)}</td>
									<td class="moment">{moment(sweep.finished_at)}</td>
								</tr>
							))}
						</tbody>
					</table>
				</div>
			)}
			{value !== null && (!isFirst || value.next) && (
				<nav class="actions" aria-label="Pages of the list">
					{!isFirst && (
						<a class="button" href={linkTo('/sweeps')}>
							Newest
						</a>
					)}
					{value.next && (
						<a class="button" href={linkTo('/sweeps', { after: value.next })}>
							Older
						</a>
					)}
				</nav>
			)}
		</>
	);
}
