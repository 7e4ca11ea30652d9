import { type Signal, useComputed, useSignal } from '@preact/signals';
import type { JobResource } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import { count } from '../format.js';
import { hasEnded } from '../job-status.js';
import { byColumn, type Column, columnsOf, firstColumns, fits } from '../jobs/job-columns.js';
import { JobsTable } from '../jobs/jobs-table.js';
import { queuePlaces, reasonOfWaiting } from '../jobs/queue-note.js';
import { jobs, jobsError, jobsLoaded, retryJobs, watchJobs } from '../live/jobs.js';
import { useLoading } from '../loading.js';
import { ConfirmDialog } from '../parts/confirm-dialog.js';
import { PageTitle } from '../parts/page-title.js';
import { Problem } from '../parts/problem.js';
import { linkTo, place, setQuery } from '../router.js';
import { client } from '../session.js';

const STATUSES: readonly JobResource['status'][] = ['queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled'];
/** Jobs that can be compared. */
const COMPARED = { least: 2, most: 8 };
const KEPT = 'steelyard.columns';
const SORT_KEPT = 'steelyard.sort';

const NAME: Column = {
	...{ id: 'name', title: 'Name', isNumber: false },
	value: ({ spec, id }) => (spec.name ?? id).toLowerCase(),
	text: ({ spec, id }) => spec.name ?? id,
};

const kept = (): string[] | null => {
	try {
		const value: unknown = JSON.parse(localStorage.getItem(KEPT) ?? 'null');
		return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : null;
	} catch {
		return null;
	}
};

/** What the list is sorted by, from the fields of a query. */
const sortIn = (query: URLSearchParams) => ({ id: query.get('sort') ?? 'created', isDescending: query.get('order') !== 'asc' });

/** Lets the user choose the columns, which the browser keeps. */
function ColumnChoice({ all, chosen }: { all: readonly Column[]; chosen: Signal<readonly string[] | null> }): VNode {
	const shown = chosen.value ?? firstColumns(all);
	const choose = (next: readonly string[] | null): void => {
		if (next === null) localStorage.removeItem(KEPT);
		else localStorage.setItem(KEPT, JSON.stringify(next));
		chosen.value = next;
	};
	return (
		<details class="columns">
			<summary>Columns</summary>
			<fieldset>
				<legend class="unseen">Columns that are shown</legend>
				{all.map(({ id, title }) => (
					<label key={id}>
						<input
							type="checkbox"
							checked={shown.includes(id)}
							onChange={(event) => choose(event.currentTarget.checked ? [...shown, id] : shown.filter((one) => one !== id))}
						/>{' '}
						{title}
					</label>
				))}
				<button type="button" onClick={() => choose(null)}>
					As at first
				</button>
			</fieldset>
		</details>
	);
}

/** All jobs of the project, live. */
export function JobsPage(): VNode {
	useEffect(watchJobs, []);
	const workers = useLoading(async () => (await client.value.ready()).workers);
	const chosen = useSignal<readonly string[] | null>(kept());
	const selected = useSignal<ReadonlySet<string>>(new Set());
	const isAsked = useSignal(false);
	const columns = useComputed(() => columnsOf(jobs.value.map((job) => job.peek())));
	const shownColumns = useComputed(() => {
		const ids = chosen.value ?? firstColumns(columns.value);
		return ids.flatMap((id) => columns.value.find((column) => column.id === id) ?? []);
	});
	const look = useComputed(() => {
		const { query } = place.value;
		const statuses = query.getAll('status');
		return {
			filter: { text: query.get('find') ?? '', statuses, dataset: query.get('dataset') },
			// What the address does not say is as it was chosen last.
			sort: sortIn(query.get('sort') === null ? new URLSearchParams(localStorage.getItem(SORT_KEPT) ?? '') : query),
		};
	});
	const shown = useComputed(() => {
		const { filter, sort } = look.value;
		const column =
			sort.id === 'name'
				? NAME
				: (columns.value.find(({ id }) => id === sort.id) ?? (columns.value.find(({ id }) => id === 'created') as Column));
		const compare = byColumn(column, sort.isDescending);
		return jobs.value.filter((job) => fits(job.peek(), filter)).sort((a, b) => compare(a.peek(), b.peek()));
	});
	const reason = useComputed(() => {
		const places = queuePlaces(jobs.value.map((job) => job.peek()));
		const alive = workers.value.value;
		return (job: JobResource) => reasonOfWaiting(job, places.get(job.id), alive);
	});
	const { filter, sort } = look.value;
	const chosenJobs = jobs.value.map((job) => job.value).filter(({ id }) => selected.value.has(id));
	const canDelete = chosenJobs.length > 0 && chosenJobs.every(hasEnded);
	const canCompare = chosenJobs.length >= COMPARED.least && chosenJobs.length <= COMPARED.most;
	const sortBy = (id: string): void => {
		const chosenSort = { sort: id, order: sort.id === id && sort.isDescending ? 'asc' : 'desc' };
		localStorage.setItem(SORT_KEPT, new URLSearchParams(chosenSort).toString());
		setQuery(chosenSort);
	};
	const isNarrowed = filter.text !== '' || filter.statuses.length > 0 || filter.dataset !== null;
	return (
		<>
			<PageTitle title="Jobs">
				<a class="button primary" href="#/jobs/new">
					New job
				</a>
			</PageTitle>
			{jobsError.value !== null && <Problem error={jobsError.value} title="The jobs could not be listed" again={retryJobs} />}
			<form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
				<label class="grow">
					<span class="unseen">Find jobs</span>
					<input
						type="search"
						placeholder="Find by name, id, model, weighting, key=text"
						value={filter.text}
						onInput={(event) => setQuery({ find: event.currentTarget.value || null })}
					/>
				</label>
				{STATUSES.map((status) => (
					<label key={status} class="chip">
						<input
							type="checkbox"
							checked={filter.statuses.includes(status)}
							onChange={(event) =>
								setQuery({
									status: event.currentTarget.checked ? [...filter.statuses, status] : filter.statuses.filter((one) => one !== status),
								})
							}
						/>{' '}
						{status}
					</label>
				))}
				{filter.dataset !== null && (
					<button type="button" onClick={() => setQuery({ dataset: null })}>
						On {filter.dataset} ✕<span class="unseen"> show jobs on all datasets</span>
					</button>
				)}
			</form>
			<div class="actions">
				<span role="status">
					{jobsLoaded.value || jobs.value.length > 0
						? `${count(shown.value.length, 'job')}${shown.value.length === jobs.value.length ? '' : ` of ${jobs.value.length.toLocaleString('en')}`}`
						: 'Loading …'}
					{chosenJobs.length > 0 && `, ${chosenJobs.length} selected`}
				</span>
				{chosenJobs.length === 0 && isNarrowed && shown.value.length > 1 && (
					<a class="button" href={linkTo('/compare', { find: filter.text, status: filter.statuses, dataset: filter.dataset })}>
						Compare these
					</a>
				)}
				{chosenJobs.length > 0 && (
					<>
						{canCompare ? (
							<a class="button" href={linkTo('/compare', { job: chosenJobs.map(({ id }) => id) })}>
								Compare
							</a>
						) : (
							<button type="button" disabled title="Two to eight jobs can be compared">
								Compare
							</button>
						)}
						<button
							type="button"
							class="danger"
							disabled={!canDelete}
							title={canDelete ? undefined : 'Only jobs that have ended can be deleted'}
							onClick={() => (isAsked.value = true)}
						>
							Delete
						</button>
						<button type="button" class="quiet-button" onClick={() => (selected.value = new Set())}>
							Select none
						</button>
					</>
				)}
				<ColumnChoice all={columns.value} chosen={chosen} />
			</div>
			{jobsLoaded.value && jobs.value.length === 0 ? (
				<div class="note">
					<strong>There are no jobs yet</strong>
					<p>
						The <a href="#/">start page</a> trains a model on real mail with one button, or <a href="#/data/new">upload a table</a> of your
						own.
					</p>
				</div>
			) : (
				<JobsTable jobs={shown.value} columns={shownColumns.value} selected={selected} sort={sort} sortBy={sortBy} reason={reason} />
			)}
			{isAsked.value && (
				<ConfirmDialog
					title={`Delete ${count(chosenJobs.length, 'job')}?`}
					action="Delete"
					close={() => (isAsked.value = false)}
					confirm={async () => {
						for (const { id } of chosenJobs) {
							await client.value.jobs.remove(id);
							selected.value = new Set([...selected.value].filter((one) => one !== id));
						}
					}}
				>
					<p>Their models, files, events and logs go with them. This cannot be undone.</p>
				</ConfirmDialog>
			)}
		</>
	);
}
