import type { VNode } from 'preact';
import { figure } from '../format.js';
import { bestAmong, lessIsBetter } from './metric-order.js';
import { meanOf, seedGroups } from './seed-groups.js';
import { JobName, type ShownJob } from './shown-job.js';

/** The jobs in the order of a metric, those that differ by their seeds alone together. */
export function Leaderboard({ shown, split, metric }: { shown: readonly ShownJob[]; split: string; metric: string }): VNode {
	const groups = seedGroups(shown.map(({ job }) => job)).map(({ jobs: of }) => {
		const values = of.flatMap(({ result }) => result?.metrics[split]?.[metric] ?? []);
		return { of, mean: meanOf(values), values };
	});
	const best = bestAmong(
		metric,
		groups.map(({ mean }) => mean?.mean ?? null),
	);
	const sign = lessIsBetter(metric) ? 1 : -1;
	const order = groups
		.map((group, i) => ({ ...group, isBest: best.has(i) }))
		.sort((a, b) => (a.mean === null ? 1 : b.mean === null ? -1 : sign * (a.mean.mean - b.mean.mean)));
	return (
		<div class="scroll" tabIndex={0} role="region" aria-label="Leaderboard">
			<table>
				<thead>
					<tr>
						<th scope="col" class="number">
							place
						</th>
						<th scope="col">jobs</th>
						<th scope="col" class="number">
							seeds
						</th>
						<th scope="col" class="number">
							{split} {metric}
						</th>
					</tr>
				</thead>
				<tbody>
					{order.map(({ of, mean, isBest }, i) => (
						<tr key={of[0]?.id}>
							<td class="number">{mean === null ? '–' : i + 1}</td>
							<td>
								{of.slice(0, 8).map((job) => (
									<span key={job.id} class="listed">
										<JobName job={job} color={shown.find((one) => one.job.id === job.id)?.color ?? 7} />
									</span>
								))}
								{of.length > 8 && <span class="quiet">and {of.length - 8} more</span>}
							</td>
							<td class="number">{of.length}</td>
							<td class="number">
								{isBest ? <strong>{figure(mean?.mean)} ★</strong> : figure(mean?.mean)}
								{mean?.half !== null && mean !== null && <span class="quiet"> ± {figure(mean.half)}</span>}
							</td>
						</tr>
					))}
				</tbody>
			</table>
		</div>
	);
}
