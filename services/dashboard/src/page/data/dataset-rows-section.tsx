import type { DatasetResource } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { useLoading } from '../loading.js';
import { useOwnQuery } from '../parts/own-query.js';
import { Problem } from '../parts/problem.js';
import { setQuery } from '../router.js';
import { client } from '../session.js';
import { RowsTable } from './rows-table.js';

const PAGE = 20;

/** A number of a query, from 0; 0 where it is none. */
export const wholeNumber = (text: string | null): number => (text !== null && /^\d{1,9}$/.test(text) ? Number(text) : 0);

/** Rows of a dataset to look at, a page at a time. The split and the page are in the address. */
export function DatasetRowsSection({ dataset }: { dataset: DatasetResource }): VNode {
	const splits = Object.keys(dataset.splits);
	const chosen = useOwnQuery(`/data/${dataset.id}`, (query) => {
		const split = query.get('split');
		return { split: split !== null && splits.includes(split) ? split : (splits[0] ?? 'train'), offset: wholeNumber(query.get('from')) };
	});
	const rows = useLoading(() => client.value.datasets.rows(dataset.id, { ...chosen.value, limit: PAGE }));
	const { split, offset } = chosen.value;
	const { value, error, isLoading } = rows.value;
	const to = offset + (value?.data.length ?? 0);
	return (
		<section aria-labelledby="rows-title">
			<h2 id="rows-title">Rows to look at</h2>
			<div class="actions">
				<label>
					Split{' '}
					<select value={split} onChange={(event) => setQuery({ split: event.currentTarget.value, from: null })}>
						{Object.entries(dataset.splits).map(([name, { rows: count }]) => (
							<option key={name} value={name}>
								{name} ({count.toLocaleString('en')})
							</option>
						))}
					</select>
				</label>
				<button type="button" disabled={offset === 0} onClick={() => setQuery({ from: offset > PAGE ? String(offset - PAGE) : null })}>
					Rows before
				</button>
				<button type="button" disabled={value?.has_more !== true || isLoading} onClick={() => setQuery({ from: String(to) })}>
					Rows after
				</button>
				<span class="quiet" role="status">
					{value === null
						? error === null && 'Loading …'
						: value.data.length > 0 &&
							`${(offset + 1).toLocaleString('en')} to ${to.toLocaleString('en')} of ${value.total.toLocaleString('en')}`}
				</span>
			</div>
			{error !== null && <Problem error={error} title="The rows could not be read" again={rows.again} />}
			{value !== null && value.kept === 0 && (
				<p class="quiet">
					The rows of this dataset were not kept as they were uploaded, so they cannot be shown. Training works all the same.
				</p>
			)}
			{value !== null && value.kept > 0 && value.data.length === 0 && <p class="quiet">There are no rows here that can be shown.</p>}
			{value !== null && value.data.length > 0 && <RowsTable rows={value.data} caption={`Rows of ${split}`} label="label" />}
			{value !== null && value.kept > 0 && value.kept < value.total && (
				<p class="hint">The first {value.kept.toLocaleString('en')} rows of this split are kept to be looked at.</p>
			)}
			{value !== null && value.left_out.length > 0 && <p class="hint">Too large to be shown here: {value.left_out.join(', ')}.</p>}
		</section>
	);
}
