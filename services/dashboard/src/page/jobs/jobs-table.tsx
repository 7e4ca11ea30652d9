import { type ReadonlySignal, type Signal, useSignal } from '@preact/signals';
import type { JobResource } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { shortId } from '../format.js';
import { Status } from '../parts/status.js';
import { linkTo } from '../router.js';
import type { Column } from './job-columns.js';
import { visibleRows } from './visible-rows.js';

/** The height of every row, in pixels; the style of rows says the same. */
const ROW = 37;

type RowProps = {
	job: Signal<JobResource>;
	columns: readonly Column[];
	selected: Signal<ReadonlySet<string>>;
	reason: (job: JobResource) => string | null;
	index: number;
};

/** A job in the list. It changes alone when the job does. */
function Row({ job: { value: job }, columns, selected, reason, index }: RowProps): VNode {
	const name = job.spec.name ?? shortId(job.id);
	const isSelected = selected.value.has(job.id);
	const toggle = (): void => {
		const next = new Set(selected.value);
		if (isSelected) next.delete(job.id);
		else next.add(job.id);
		selected.value = next;
	};
	const why = reason(job);
	return (
		<tr aria-rowindex={index + 2} class={isSelected ? 'selected' : ''}>
			<td>
				<input type="checkbox" checked={isSelected} onChange={toggle} aria-label={`Select ${name}`} />
			</td>
			<th scope="row">
				<a href={linkTo(`/jobs/${job.id}`)}>{name}</a>
			</th>
			{columns.map((column) => (
				<td key={column.id} class={column.isNumber ? 'number' : ''}>
					{column.id === 'status' ? (
						<>
							<Status job={job} /> {why !== null && <span class="quiet">{why}</span>}
						</>
					) : (
						column.text(job)
					)}
				</td>
			))}
		</tr>
	);
}

export type JobsTableProps = {
	jobs: readonly Signal<JobResource>[];
	columns: readonly Column[];
	selected: Signal<ReadonlySet<string>>;
	sort: { readonly id: string; readonly isDescending: boolean };
	sortBy: (id: string) => void;
	reason: ReadonlySignal<(job: JobResource) => string | null>;
};

/** A long list of jobs, of which only the rows that are seen are drawn. */
export function JobsTable({ jobs, columns, selected, sort, sortBy, reason }: JobsTableProps): VNode {
	const box = useRef<HTMLDivElement>(null);
	const seen = useSignal({ scrolled: 0, height: 800 });
	useEffect(() => {
		const element = box.current as HTMLDivElement;
		const look = (): void => {
			seen.value = { scrolled: element.scrollTop, height: element.clientHeight };
		};
		const watch = new ResizeObserver(look);
		watch.observe(element);
		element.addEventListener('scroll', look, { passive: true });
		return () => {
			watch.disconnect();
			element.removeEventListener('scroll', look);
		};
	}, []);
	const { first, end } = visibleRows(jobs.length, ROW, seen.value.scrolled, seen.value.height);
	const head = (id: string, title: string, isNumber: boolean): VNode => (
		<th
			key={id}
			scope="col"
			class={isNumber ? 'number' : ''}
			aria-sort={sort.id === id ? (sort.isDescending ? 'descending' : 'ascending') : undefined}
		>
			<button type="button" class="sort" onClick={() => sortBy(id)}>
				{title}
				<span aria-hidden="true">{sort.id === id ? (sort.isDescending ? ' ↓' : ' ↑') : ''}</span>
			</button>
		</th>
	);
	return (
		<div ref={box} class="scroll jobs" tabIndex={0} role="region" aria-label="Jobs">
			<table aria-rowcount={jobs.length + 1}>
				<thead>
					<tr aria-rowindex={1}>
						<th scope="col">
							<span class="unseen">Selected</span>
						</th>
						{head('name', 'Name', false)}
						{columns.map(({ id, title, isNumber }) => head(id, title, isNumber))}
					</tr>
				</thead>
				<tbody>
					<tr class="gap" aria-hidden="true" style={{ height: `${first * ROW}px` }} />
					{jobs.slice(first, end).map((job, i) => (
						<Row key={job.peek().id} job={job} columns={columns} selected={selected} reason={reason.value} index={first + i} />
					))}
					<tr class="gap" aria-hidden="true" style={{ height: `${(jobs.length - end) * ROW}px` }} />
				</tbody>
			</table>
		</div>
	);
}
