import { useSignal } from '@preact/signals';
import type { DatasetResource } from '@steelyard/contracts';
import type { VNode } from 'preact';
import '../data/data.css';
import { taskWords } from '../data/dataset-facts.js';
import { DeleteDataset } from '../data/delete-dataset.js';
import { bytes, moment } from '../format.js';
import { useLoading } from '../loading.js';
import { useOwnQuery } from '../parts/own-query.js';
import { PageTitle } from '../parts/page-title.js';
import { Problem } from '../parts/problem.js';
import { linkTo, setQuery } from '../router.js';
import { client } from '../session.js';

const PAGE = 20;
/** Modalities whose names a line of the list shows. */
const MOST_NAMES = 4;

function Modalities({ dataset }: { dataset: DatasetResource }): VNode {
	const names = Object.keys(dataset.modalities);
	return (
		<>
			{names.slice(0, MOST_NAMES).join(', ')}
			{names.length > MOST_NAMES && <span class="quiet"> and {names.length - MOST_NAMES} more</span>}
		</>
	);
}

/** Says what a dataset is, to whoever has none. */
function NoData(): VNode {
	return (
		<div class="card">
			<h2 class="first">There is no data yet</h2>
			<p>
				A dataset is what a model learns from: rows, each with something to learn from (numbers, categories, texts, dates, measurements over
				time, pictures) and a label, which is what the model is to predict.
			</p>
			<ul>
				<li>
					A table goes in as it is: <code>.csv</code>, <code>.tsv</code>, <code>.jsonl</code> or <code>.parquet</code>, also packed by gzip.
					What its columns are is found out, and you can correct it before anything is uploaded.
				</li>
				<li>
					Arrays of NumPy go in as a <code>.zip</code> or <code>.npz</code> with files such as <code>train_image.npy</code>,{' '}
					<code>train_text.npy</code> and <code>train_labels.npy</code>.
				</li>
			</ul>
			<p>It is kept on the machine of this service and goes nowhere else.</p>
			<p class="actions">
				<a class="button primary" href="#/data/new">
					Upload data
				</a>
				<a class="button" href="#/">
					Try it with the sample
				</a>
			</p>
		</div>
	);
}

/** All datasets: what is in them, and what can be done with them. */
export function DataPage(): VNode {
	const asked = useSignal<DatasetResource | null>(null);
	const chosen = useOwnQuery('/data', (query) => ({ name: query.get('name') ?? '', after: query.get('after') }));
	const page = useLoading(() => {
		const { name, after } = chosen.value;
		return client.value.datasets.list({ limit: PAGE, ...(name === '' ? {} : { name }), ...(after ? { after } : {}) });
	});
	const { name, after } = chosen.value;
	const isFirst = after === null;
	const { value, error } = page.value;
	const isEmpty = value !== null && value.data.length === 0;
	return (
		<>
			<PageTitle title="Data">
				<a class="button primary" href="#/data/new">
					Upload data
				</a>
			</PageTitle>
			{(name !== '' || !isFirst || !isEmpty) && (
				<label class="field narrow">
					<span>Filter by name</span>
					<input
						type="search"
						value={name}
						maxLength={200}
						placeholder="part of a name"
						onInput={(event) => setQuery({ name: event.currentTarget.value, after: null })}
					/>
				</label>
			)}
			{error !== null && <Problem error={error} title="The list could not be read" again={page.again} />}
			{value === null && error === null && (
				<p class="quiet" role="status">
					Loading …
				</p>
			)}
			{isEmpty && name === '' && isFirst && !value.next && <NoData />}
			{isEmpty && (name !== '' || !isFirst) && (
				<p role="status">
					{name === ''
						? 'There are no more.'
						: value.next
							? `None so far is called ${name}; there are more to look at.`
							: `No dataset has ${name} in its name.`}
				</p>
			)}
			{value !== null && value.data.length > 0 && (
				<div class="scroll tall" tabIndex={0} role="region" aria-label="Datasets">
					<table>
						<thead>
							<tr>
								<th scope="col">Name</th>
								<th scope="col">Rows</th>
								<th scope="col">Predicts</th>
								<th scope="col">Modalities</th>
								<th scope="col" class="number">
									Size
								</th>
								<th scope="col">Made</th>
								<th scope="col">
									<span class="unseen">Actions</span>
								</th>
							</tr>
						</thead>
						<tbody>
							{value.data.map((dataset) => (
								<tr key={dataset.id}>
									<th scope="row" class="name">
										<a href={linkTo(`/data/${dataset.id}`)}>{dataset.name}</a>
										{dataset.title !== null && <div class="hint">{dataset.title}</div>}
									</th>
									<td class="rows">
										{Object.entries(dataset.splits).map(([split, { rows }]) => (
											<div key={split}>
												{rows.toLocaleString('en')} <span class="quiet">{split}</span>
											</div>
										))}
									</td>
									<td>{taskWords(dataset.task)}</td>
									<td>
										<Modalities dataset={dataset} />
									</td>
									<td class="number">{bytes(dataset.bytes)}</td>
									<td class="rows">{moment(dataset.created_at)}</td>
									<td>
										<div class="row-actions">
											<a
												class="button small"
												href={linkTo('/jobs/new', { dataset: dataset.id })}
												aria-label={`Train on it: ${dataset.name}`}
											>
												Train on it
											</a>
											<button
												type="button"
												class="danger small"
												aria-label={`Delete ${dataset.name}`}
												onClick={() => {
													asked.value = dataset;
												}}
											>
												Delete
											</button>
										</div>
									</td>
								</tr>
							))}
						</tbody>
					</table>
				</div>
			)}
			{value !== null && (!isFirst || value.next) && (
				<nav class="actions" aria-label="Pages of the list">
					{!isFirst && (
						<a class="button" href={linkTo('/data', { name })}>
							Newest
						</a>
					)}
					{value.next && (
						<a class="button" href={linkTo('/data', { name, after: value.next })}>
							Older
						</a>
					)}
				</nav>
			)}
			{asked.value !== null && (
				<DeleteDataset
					dataset={asked.value}
					close={() => {
						asked.value = null;
					}}
					deleted={() => {
						asked.value = null;
						page.again();
					}}
				/>
			)}
		</>
	);
}
