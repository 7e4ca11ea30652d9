import { useSignal } from '@preact/signals';
import type { SweepResource, SweepTrial } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { figure } from '../format.js';
import { linkTo } from '../router.js';
import { assignmentsOf } from './assignments.js';
import { shortName, valueText } from './dimension-name.js';
import { TrialState } from './sweep-status.js';

/** Rows that are shown at first, and that each press adds. */
const ROWS = 50;

/** The job of a trial, which is the last one of several where the trial went on over rungs. */
const TrialLink = ({ trial, job }: SweepTrial): VNode => (
	<a class="listed" href={linkTo(`/jobs/${job}`)} title={job}>
		trial {trial}
	</a>
);

/** What a sweep has tried, the best first. */
export function LeaderboardTable({ sweep }: { sweep: SweepResource }): VNode {
	const most = useSignal(ROWS);
	const { space, metric, seeds, pruning } = sweep.spec;
	const paths = Object.keys(space);
	const tried = assignmentsOf(sweep);
	const hasSeeds = seeds > 1;
	const hasRungs = pruning.type !== 'none';
	const head = (title: string, isNumber: boolean, path?: string): VNode => (
		<th key={path ?? title} scope="col" class={isNumber ? 'number' : ''} title={path}>
			{title}
		</th>
	);
	return (
		<>
			<div class="scroll" tabIndex={0} role="region" aria-label="Leaderboard">
				<table>
					<thead>
						<tr>
							{head('place', true)}
							{head(hasSeeds ? `mean ${metric}` : metric, true)}
							{paths.map((path) => head(shortName(path, paths), false, path))}
							{hasRungs && head('epochs', true)}
							{head('state', false)}
							{head(hasSeeds ? `jobs of ${seeds} seeds` : 'job', false)}
						</tr>
					</thead>
					<tbody>
						{tried.slice(0, most.value).map(({ values, trials, mean, half, completed, epochs, state }, i) => (
							<tr key={trials[0]?.trial}>
								<td class="number">{mean === null ? '–' : i + 1}</td>
								<td class="number">
									{i === 0 && completed === seeds ? (
										<strong>
											{figure(mean)} <span aria-label="best">★</span>
										</strong>
									) : (
										figure(mean)
									)}
									{half !== null && <span class="quiet"> ± {figure(half, 3)}</span>}
								</td>
								{paths.map((path) => (
									<td key={path}>{valueText(values[path])}</td>
								))}
								{hasRungs && <td class="number">{epochs === 0 ? '–' : epochs}</td>}
								<td>
									<TrialState state={state} job={trials.find((one) => one.state === 'running')?.job} />
								</td>
								<td>
									{trials.map((trial) => (
										<TrialLink key={trial.trial} {...trial} />
									))}
								</td>
							</tr>
						))}
					</tbody>
				</table>
			</div>
			{tried.length > most.value && (
				<p class="actions">
					<span class="quiet">
						The first {most.value} of {tried.length.toLocaleString('en')}.
					</span>
					<button type="button" onClick={() => (most.value += ROWS)}>
						Show more
					</button>
				</p>
			)}
		</>
	);
}
