import { useComputed } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import { Curves } from '../compare/curves.js';
import { Leaderboard } from '../compare/leaderboard.js';
import { bestAmong } from '../compare/metric-order.js';
import { numbersOfCoordinates, ParallelCoordinates } from '../compare/parallel-coordinates.js';
import { PerJobTable } from '../compare/per-job-table.js';
import type { ShownJob } from '../compare/shown-job.js';
import { differencesOf, type SpecValue } from '../compare/spec-differences.js';
import { count, figure } from '../format.js';
import { nameOf } from '../job-status.js';
import { fits } from '../jobs/job-columns.js';
import { jobs, jobsError, jobsLoaded, retryJobs, watchJobs } from '../live/jobs.js';
import { PageTitle } from '../parts/page-title.js';
import { Problem } from '../parts/problem.js';
import { Bars, numbersOfBars } from '../plots/bars.js';
import { Figure } from '../plots/figure.js';
import { linkTo, place, setQuery } from '../router.js';

/** Jobs whose curves are drawn over each other, of which each has a colour of its own. */
const MOST_CURVES = 8;
/** Jobs that tables and lines are made of. */
const MOST_JOBS = 500;

/** A value of a spec as text. */
const written = (value: SpecValue | undefined): string =>
	value === undefined ? '–' : typeof value === 'number' ? figure(value, 6) : value === null ? 'null' : String(value);

/** Some jobs side by side: in what they differ, and what came of it. */
export function ComparePage(): VNode {
	useEffect(watchJobs, []);
	const shown = useComputed<readonly ShownJob[]>(() => {
		const { query } = place.value;
		const ids = query.getAll('job');
		if (ids.length > 0) {
			const known = new Map(jobs.value.map((job) => [job.value.id, job.value]));
			// The colour of a job is its place in the address, also while others are not there.
			return ids.flatMap((id, color) => {
				const job = known.get(id);
				return job === undefined ? [] : [{ job, color }];
			});
		}
		const filter = { text: query.get('find') ?? '', statuses: query.getAll('status'), dataset: query.get('dataset') };
		if (filter.text === '' && filter.statuses.length === 0 && filter.dataset === null) return [];
		return jobs.value
			.map((job) => job.value)
			.filter((job) => fits(job, filter))
			.slice(0, MOST_JOBS)
			.map((job, color) => ({ job, color }));
	});
	const all = shown.value;
	if (all.length < 2)
		return (
			<>
				<PageTitle title="Compare" />
				{jobsError.value !== null && <Problem error={jobsError.value} title="The jobs could not be listed" again={retryJobs} />}
				{!jobsLoaded.value ? (
					<p class="quiet" role="status">
						Loading …
					</p>
				) : (
					<div class="note">
						<strong>Choose two to eight jobs</strong>
						<p>
							Mark them in the <a href="#/jobs">list of jobs</a> and press Compare. Here you then see in which settings they differ, and
							only these; their curves over each other; and their metrics, with means over seeds.
						</p>
						{jobs.value.length >= 2 && (
							<p>
								<a
									class="button"
									href={linkTo('/compare', {
										job: jobs.value
											.map((job) => job.value)
											.filter(({ status }) => status === 'succeeded')
											.slice(0, 4)
											.map(({ id }) => id),
									})}
								>
									Compare the last ones that succeeded
								</a>
							</p>
						)}
					</div>
				)}
			</>
		);
	const few = all.slice(0, MOST_CURVES);
	const splits = [...new Set(all.flatMap(({ job }) => Object.keys(job.result?.metrics ?? {})))].reverse();
	const { query } = place.value;
	const split = splits.find((one) => one === query.get('split')) ?? splits[0] ?? 'validation';
	const metrics = [...new Set(all.flatMap(({ job }) => Object.keys(job.result?.metrics[split] ?? {})))];
	const metric =
		metrics.find((one) => one === query.get('metric')) ?? ['accuracy', 'rmse'].find((one) => metrics.includes(one)) ?? metrics[0] ?? 'loss';
	const differences = differencesOf(all.map(({ job }) => job));
	const modalities = [...new Set(few.flatMap(({ job }) => Object.keys(job.result?.modality_weights ?? {})))];
	const weights = {
		parts: few.map(({ job }) => nameOf(job)),
		groups: modalities.map((name) => ({ name, values: few.map(({ job }) => job.result?.modality_weights[name]?.mean ?? null) })),
	};
	const coordinates = {
		axes: [
			...differences.filter(({ field }) => field !== 'training.seed').map(({ field, values }) => ({ name: field, values })),
			{ name: `${split} ${metric}`, values: all.map(({ job }) => job.result?.metrics[split]?.[metric] ?? undefined) },
		],
		lines: all.map(({ job, color }) => ({ name: nameOf(job), color })),
	};
	return (
		<>
			<PageTitle title={`Compare ${count(all.length, 'job')}`} above={<a href="#/jobs">Jobs</a>} />
			<h2>In what they differ</h2>
			{differences.length === 0 ? (
				<p>Their specs are equal.</p>
			) : (
				<>
					<p class="hint">Only settings that are not equal in all of them; names, metadata and priority aside.</p>
					<PerJobTable
						shown={few}
						label="Settings that differ"
						rows={differences.map(({ field, values }) => ({ name: field, cells: few.map((_, i) => written(values[i])) }))}
					/>
				</>
			)}
			<h2>What came of it</h2>
			<div class="actions">
				<label>
					Split{' '}
					<select value={split} onChange={(event) => setQuery({ split: event.currentTarget.value })}>
						{splits.map((one) => (
							<option key={one}>{one}</option>
						))}
					</select>
				</label>
				<label>
					Metric{' '}
					<select value={metric} onChange={(event) => setQuery({ metric: event.currentTarget.value })}>
						{metrics.map((one) => (
							<option key={one}>{one}</option>
						))}
					</select>
				</label>
			</div>
			<PerJobTable
				shown={few}
				label={`Metrics on ${split}`}
				rows={metrics.map((name) => {
					const values = few.map(({ job }) => job.result?.metrics[split]?.[name] ?? null);
					return { name, cells: values.map((value) => figure(value)), best: bestAmong(name, values) };
				})}
			/>
			<h2>Leaderboard</h2>
			<p class="hint">Jobs that differ by their seeds alone count as one: the mean, and its 95 % interval by Student's t.</p>
			<Leaderboard shown={all} split={split} metric={metric} />
			<h2>Pictures</h2>
			<div class="figures">
				<Curves shown={few} metric={metric} />
				{metric !== 'loss' && <Curves shown={few} metric="loss" />}
				{modalities.length > 0 && (
					<Figure title="Weights of the modalities" numbers={() => numbersOfBars(weights)}>
						<Bars label="Mean weight of each modality in each job" {...weights} unit="mean weight" />
					</Figure>
				)}
				{coordinates.axes.length > 1 && (
					<Figure
						title="Settings and metric"
						hint="A line for each job. Lines that run side by side show what goes together."
						numbers={() => numbersOfCoordinates(coordinates)}
					>
						<ParallelCoordinates {...coordinates} />
					</Figure>
				)}
			</div>
		</>
	);
}
