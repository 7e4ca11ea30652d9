import type { VNode } from 'preact';
import { bytes, count, duration, figure, moment, percent } from '../format.js';
import { hasEnded } from '../job-status.js';
import { type Fact, Facts } from '../parts/facts.js';
import { ChartFigure } from '../plots/chart-figure.js';
import { linkTo } from '../router.js';
import { SweepLink } from '../sweeps/sweep-link.js';
import { lossChart, modelsIn } from './curves.js';
import { noticeText } from './notice-text.js';
import { Stages } from './stages.js';
import type { TabProps } from './tab.js';
import { WeightingChoice } from './weighting-choice.js';

/** The split that figures are shown of: the test, or validation where there is none. */
const shownSplit = (metrics: object): string => ('test' in metrics ? 'test' : 'validation');

/** The figures of the exported model by split. */
function ResultTable({ job }: Pick<TabProps, 'job'>): VNode | null {
	const { result } = job;
	if (result === null) return null;
	const splits = Object.keys(result.metrics).reverse();
	const metrics = [...new Set(splits.flatMap((split) => Object.keys(result.metrics[split] ?? {})))];
	return (
		<>
			<h2>How good it is</h2>
			<p class="hint">Measured by running the exported file over each split. In brackets is the 95 % interval, by bootstrap.</p>
			<div class="scroll" tabIndex={0} role="region" aria-label="Metrics by split">
				<table>
					<thead>
						<tr>
							<th scope="col">metric</th>
							{splits.map((split) => (
								<th key={split} scope="col" class="number">
									{split}
								</th>
							))}
						</tr>
					</thead>
					<tbody>
						{metrics.map((metric) => (
							<tr key={metric}>
								<th scope="row">{metric}</th>
								{splits.map((split) => {
									const bounds = result.intervals?.[split]?.[metric];
									return (
										<td key={split} class="number">
											{figure(result.metrics[split]?.[metric])}
											{bounds && <span class="quiet"> ({`${figure(bounds.low)} – ${figure(bounds.high)}`})</span>}
										</td>
									);
								})}
							</tr>
						))}
					</tbody>
				</table>
			</div>
		</>
	);
}

/** What a job warns of. */
function Warnings({ job }: Pick<TabProps, 'job'>): VNode {
	return (
		<>
			{job.result?.warnings?.map(({ code, message, advice }) => (
				<div key={`${code} ${message}`} class="note warn">
					<strong>{message}</strong>
					<p>{advice}</p>
				</div>
			))}
		</>
	);
}

/** What is known of a job beside its figures. */
function factsOf(job: TabProps['job']): Fact[] {
	const { result, device, measured, spec, notified, sweep } = job;
	const ece = Object.entries(result?.calibration?.ece ?? {}).map(([name, error]) => `${name} ${percent(error)}`);
	const speed = job.rows_per_second === undefined ? '–' : `${figure(job.rows_per_second, 3)} rows/s`;
	const step = measured?.step_seconds === undefined ? '' : `, ${figure(measured.step_seconds * 1000, 3)} ms a step`;
	return [
		['Id', <code>{job.id}</code>],
		['Dataset', <a href={linkTo(`/data/${spec.dataset}`)}>{spec.dataset}</a>],
		sweep === undefined ? null : ['Sweep', <SweepLink sweep={sweep} />],
		['Model', `${spec.model.family}${result === null ? '' : `, ${count(result.parameters, 'trained number')}`}`],
		[
			'Weighting',
			`${spec.weighting.preset}${result?.weighting_choice === undefined ? '' : `, which chose ${result.weighting_choice.chosen}`}`,
		],
		['Posted', moment(job.created_at)],
		['Started', moment(job.started_at)],
		['Ended', moment(job.finished_at)],
		notified === undefined ? null : ['Notice of the end', noticeText(notified)],
		['Attempts', job.attempt],
		['Device', `${device?.provider.toUpperCase() ?? '–'}${device?.note ? ` (${device.note})` : ''}`],
		['Speed', `${speed}${step}`],
		['Most memory', bytes(measured?.peak_memory_bytes)],
		ece.length === 0 ? null : ['Calibration error', ece.join(', ')],
		...Object.entries(spec.metadata),
	];
}

/** What a job does or has come to, on one page. */
export function OverviewTab({ view, job }: TabProps): VNode {
	const { result, error, waiting } = job;
	const epochs = view.epochs.value;
	const models = modelsIn(epochs);
	const shown = models.includes('fusion') ? 'fusion' : models.at(-1);
	const metrics = result === null ? job.metrics : (result.metrics[shownSplit(result.metrics)] ?? null);
	const split = result === null ? 'validation so far' : shownSplit(result.metrics);
	const main = Object.entries(metrics ?? {}).filter(([, value]) => value !== null);
	return (
		<>
			{error !== null && (
				<div class="note bad" role="alert">
					<strong>The job failed: {error.code}</strong>
					<p>
						{error.message}
						{error.param !== null && (
							<>
								{' '}
								(<code>{error.param}</code>)
							</>
						)}
					</p>
				</div>
			)}
			{waiting && (
				<div class="note warn">
					<strong>The job waits</strong>
					<p>{waiting.message}</p>
				</div>
			)}
			{!hasEnded(job) && <Stages view={view} job={job} />}
			<Warnings job={job} />
			<div class="tiles">
				{main.slice(0, 4).map(([name, value]) => (
					<div key={name} class="tile">
						<b>{figure(value)}</b>
						<span>
							{name}, {split}
						</span>
					</div>
				))}
				{result !== null && (
					<>
						<div class="tile">
							<b>{result.best_epoch + 1}</b>
							<span>best epoch of {result.epochs}</span>
						</div>
						<div class="tile">
							<b>{duration(result.seconds)}</b>
							<span>on {result.device.toUpperCase()}</span>
						</div>
					</>
				)}
			</div>
			{shown !== undefined && (
				<ChartFigure
					chart={lossChart(epochs, shown, { log: false, smoothing: 0, exported: result?.best_epoch })}
					hint={
						result === null
							? 'The dot is the best epoch so far, by validation: that one is exported, not the last.'
							: 'The dot is the epoch that was exported, the best by validation.'
					}
				/>
			)}
			<ResultTable job={job} />
			{result?.weighting_choice !== undefined && <WeightingChoice choice={result.weighting_choice} />}
			<h2>The job</h2>
			<Facts rows={factsOf(job)} />
		</>
	);
}
