import type { SweepResource } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { count, figure, moment } from '../format.js';
import { jsonText } from '../new-job/snippets.js';
import type { PageProps } from '../pages.js';
import { CopyButton } from '../parts/copy-button.js';
import { Facts } from '../parts/facts.js';
import { Fold } from '../parts/fold.js';
import { PageTitle } from '../parts/page-title.js';
import { Problem } from '../parts/problem.js';
import { linkTo } from '../router.js';
import { BestTrial } from '../sweeps/best-trial.js';
import { FailedTrials } from '../sweeps/failed-trials.js';
import { LeaderboardTable } from '../sweeps/leaderboard-table.js';
import { useSweep } from '../sweeps/live-sweep.js';
import { begunTrials, nextStep, plannedTrials } from '../sweeps/next-step.js';
import { SweepActions } from '../sweeps/sweep-actions.js';
import { SweepFigures } from '../sweeps/sweep-figures.js';
import { sweepName } from '../sweeps/sweep-name.js';
import { SweepStatus } from '../sweeps/sweep-status.js';
import '../sweeps/sweeps.css';

/** How far a sweep is, in a few figures. */
function Progress({ sweep, isStopping }: { sweep: SweepResource; isStopping: boolean }): VNode {
	const { counts, best, spec } = sweep;
	const planned = plannedTrials(sweep);
	const ended = begunTrials(sweep) - counts.running;
	const tiles: readonly (readonly [string, string])[] = [
		...(best === null ? [] : [[figure(best.mean), `best ${spec.metric}, validation`] as const]),
		[`${ended.toLocaleString('en')} of ${planned.toLocaleString('en')}`, 'trials ended'],
		...(['running', 'completed', 'pruned', 'failed'] as const).flatMap((state) =>
			counts[state] === 0 ? [] : [[counts[state].toLocaleString('en'), state === 'completed' ? 'trained to the end' : state] as const],
		),
	];
	return (
		<>
			{sweep.finished_at === null && <progress value={ended} max={planned} aria-label="Trials that have ended" />}
			<p>{nextStep(sweep, isStopping)}</p>
			<div class="tiles">
				{tiles.map(([value, name]) => (
					<div key={name} class="tile">
						<b>{value}</b>
						<span>{name}</span>
					</div>
				))}
			</div>
		</>
	);
}

/** What was asked for, beside the space. */
function Asked({ sweep }: { sweep: SweepResource }): VNode {
	const { id, spec, created_at, finished_at } = sweep;
	const { search, pruning, seeds, budget, metric, direction, job } = spec;
	const text = jsonText(spec as unknown as Parameters<typeof jsonText>[0]);
	return (
		<>
			<h2>The sweep</h2>
			<Facts
				rows={[
					['Id', <code>{id}</code>],
					['Looks for', `the ${direction === 'minimise' ? 'lowest' : 'highest'} ${metric} on validation`],
					['Search', search.type],
					[
						'Ends trials early',
						pruning.type === 'none'
							? 'no'
							: `${pruning.type}, from ${count(pruning.minimum, 'epoch')} on, one in ${pruning.factor} goes on`,
					],
					[
						'Budget',
						`${count(budget.trials, 'trial')}${seeds === 1 ? '' : `, ${seeds} seeds of each assignment`}${budget.seconds === undefined ? '' : `, ${budget.seconds.toLocaleString('en')} s`}`,
					],
					['At once', spec.concurrency],
					['Dataset', <a href={linkTo(`/data/${job.dataset}`)}>{job.dataset}</a>],
					['Posted', moment(created_at)],
					['Ended', moment(finished_at)],
				]}
			/>
			<Fold title="Its spec" mustOpen={false}>
				<p class="actions">
					<CopyButton text={text} what="the spec of the sweep" />
				</p>
				{/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so that it has to be reached by keyboard */}
				<pre tabIndex={0}>{text}</pre>
			</Fold>
		</>
	);
}

/** One sweep, live: how far it is, what it has found, and what it does next. */
export function SweepPage({ params }: PageProps): VNode {
	const id = params['id'] ?? '';
	const { sweep: found, isStopping } = useSweep(id);
	const { value: sweep, error } = found.value;
	if (sweep === null)
		return error === null ? (
			<PageTitle title={id} above="Loading …" />
		) : (
			<>
				<PageTitle title={id} above={<a href="#/sweeps">Sweeps</a>} />
				<Problem error={error} title="The sweep could not be read" again={found.again} />
			</>
		);
	return (
		<>
			<PageTitle
				title={sweepName(sweep)}
				above={
					<>
						<a href="#/sweeps">Sweeps</a> · <SweepStatus status={sweep.status} isStopping={isStopping.value} />
					</>
				}
			>
				<SweepActions sweep={sweep} isStopping={isStopping.value} changed={found.again} />
			</PageTitle>
			{error !== null && <Problem error={error} title="What follows may be old" again={found.again} />}
			<Progress sweep={sweep} isStopping={isStopping.value} />
			<BestTrial sweep={sweep} />
			<h2>Leaderboard</h2>
			<p class="hint">
				Each trial is a <a href={linkTo('/jobs', { find: id })}>job of its own</a>. Values are measured on validation, which the best of
				many trials fits better than new rows do: look at the test split of its job.
			</p>
			{sweep.trials.length === 0 ? <p class="quiet">No trial has begun.</p> : <LeaderboardTable sweep={sweep} />}
			<h2>Pictures</h2>
			<SweepFigures sweep={sweep} />
			<FailedTrials sweep={sweep} />
			<Asked sweep={sweep} />
		</>
	);
}
