import { useSignal } from '@preact/signals';
import type { DatasetResource } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { ColumnsTable } from '../data/columns-table.js';
import '../data/data.css';
import { taskWords } from '../data/dataset-facts.js';
import { DatasetRowsSection } from '../data/dataset-rows-section.js';
import { DeleteDataset } from '../data/delete-dataset.js';
import { labelBalance } from '../data/label-balance.js';
import { ManifestView } from '../data/manifest-view.js';
import { ModalitiesTable } from '../data/modalities-table.js';
import { bytes, count, figure, moment } from '../format.js';
import { useLoading } from '../loading.js';
import type { PageProps } from '../pages.js';
import { Facts } from '../parts/facts.js';
import { NamingForm } from '../parts/naming-form.js';
import { PageTitle } from '../parts/page-title.js';
import { Problem } from '../parts/problem.js';
import { Status } from '../parts/status.js';
import { Bars, numbersOfBars } from '../plots/bars.js';
import { Figure } from '../plots/figure.js';
import { go, linkTo } from '../router.js';
import { client } from '../session.js';

const MOST_JOBS = 5;

/** How often each class is, or how the values of a regression are spread. */
function Labels({ dataset: { task, splits } }: { dataset: DatasetResource }): VNode {
	if (task.type === 'regression')
		return (
			<div class="scroll" tabIndex={0} role="region" aria-label="Labels">
				<table>
					<thead>
						<tr>
							<th scope="col">Split</th>
							{['rows', 'least', 'mean', 'largest', 'standard deviation'].map((name) => (
								<th key={name} scope="col" class="number">
									{name}
								</th>
							))}
						</tr>
					</thead>
					<tbody>
						{Object.entries(splits).map(([name, { rows, labels }]) => (
							<tr key={name}>
								<th scope="row">{name}</th>
								<td class="number">{rows.toLocaleString('en')}</td>
								{['min', 'mean', 'max', 'std'].map((what) => (
									<td key={what} class="number">
										{figure(labels[what])}
									</td>
								))}
							</tr>
						))}
					</tbody>
				</table>
			</div>
		);
	const { parts, groups, more } = labelBalance(splits, task.type === 'multilabel');
	const bars = { parts, groups };
	return (
		<Figure
			title="Balance of the labels"
			hint={
				<>
					The share of {task.positions === undefined ? 'rows' : 'positions'} of each split that{' '}
					{task.type === 'multilabel' ? 'have the label' : 'are of the class'}.
					{more > 0 && ` The ${groups.length} most frequent ones are drawn; there are ${more.toLocaleString('en')} more.`}
				</>
			}
			numbers={() => numbersOfBars(bars)}
		>
			<Bars label="Balance of the labels" unit="share" {...bars} />
		</Figure>
	);
}

/** The newest jobs on a dataset. */
function Jobs({ id }: { id: string }): VNode {
	const jobs = useLoading(() => client.value.jobs.list({ dataset: id, limit: MOST_JOBS }));
	const { value, error } = jobs.value;
	return (
		<section aria-labelledby="jobs-title">
			<h2 id="jobs-title">Jobs on it</h2>
			{error !== null && <Problem error={error} title="The jobs could not be read" again={jobs.again} />}
			{value !== null && value.data.length === 0 && (
				<p class="quiet">
					None yet: <a href={linkTo('/jobs/new', { dataset: id })}>train a first model</a>.
				</p>
			)}
			{value !== null && value.data.length > 0 && (
				<ul class="plain">
					{value.data.map((job) => (
						<li key={job.id}>
							<a href={linkTo(`/jobs/${job.id}`)}>{job.spec.name ?? job.id}</a> <Status job={job} />{' '}
							<span class="quiet">{moment(job.created_at)}</span>
							{job.status === 'succeeded' && (
								<>
									{' · '}
									<a href={linkTo(`/jobs/${job.id}/try`)} aria-label={`Try it: the model of ${job.spec.name ?? job.id}`}>
										Try it
									</a>
								</>
							)}
						</li>
					))}
				</ul>
			)}
			{value?.has_more && (
				<p>
					<a href={linkTo('/jobs', { dataset: id })}>All jobs on it</a>
				</p>
			)}
		</section>
	);
}

function Dataset({ dataset, again }: { dataset: DatasetResource; again: () => void }): VNode {
	const isAsked = useSignal(false);
	const { id, table } = dataset;
	const rows = Object.values(dataset.splits).reduce((sum, split) => sum + split.rows, 0);
	return (
		<>
			<PageTitle title={dataset.name} above={<a href="#/data">Data</a>}>
				<a class="button primary" href={linkTo('/jobs/new', { dataset: id })}>
					Train on it
				</a>
				<button
					type="button"
					class="danger"
					onClick={() => {
						isAsked.value = true;
					}}
				>
					Delete
				</button>
			</PageTitle>
			{dataset.title !== null && <p>{dataset.title}</p>}
			<div class="tiles">
				<div class="tile">
					<b>{rows.toLocaleString('en')}</b>
					<span>rows</span>
				</div>
				<div class="tile">
					<b>{Object.keys(dataset.modalities).length}</b>
					<span>{Object.keys(dataset.modalities).length === 1 ? 'modality' : 'modalities'}</span>
				</div>
				<div class="tile">
					<b>{taskWords(dataset.task)}</b>
					<span>to be predicted</span>
				</div>
				<div class="tile">
					<b>{bytes(dataset.bytes)}</b>
					<span>of arrays</span>
				</div>
			</div>
			<h2>Rows and labels</h2>
			<p>
				{Object.entries(dataset.splits).map(([name, split], i) => (
					<span key={name}>
						{i > 0 && ', '}
						<strong>{split.rows.toLocaleString('en')}</strong> {name}
						{split.ignored_positions !== undefined && ` (${count(split.ignored_positions, 'position')} without label)`}
					</span>
				))}
				{dataset.splits.valid === undefined && (
					<span class="quiet">. There is no split called valid: each job takes some of the training rows for validation.</span>
				)}
			</p>
			<div class="half">
				<Labels dataset={dataset} />
			</div>
			<h2>Modalities</h2>
			<ModalitiesTable modalities={dataset.modalities} />
			{table !== undefined && (
				<>
					<h2>Columns</h2>
					<p class="hint">
						Read from {table.files.join(', ')}: {count(table.rows, 'row')}
						{table.dropped !== undefined && `, without ${count(table.dropped, 'row')} that had no label`}.{' '}
						{table.standard
							? 'The model needs standard ONNX operators alone.'
							: 'The model needs ONNX Runtime, which has the operator that finds words in text.'}
					</p>
					<ColumnsTable columns={table.columns} />
				</>
			)}
			<DatasetRowsSection dataset={dataset} />
			<Jobs id={id} />
			<h2>Name and metadata</h2>
			<NamingForm
				name={dataset.name}
				metadata={dataset.metadata}
				update={async ({ name, metadata = {} }) =>
					(await client.value.datasets.update(dataset.id, { ...(typeof name === 'string' ? { name } : {}), metadata })).metadata
				}
				saved={again}
				isNamed
			/>
			{dataset.ignored !== undefined && dataset.ignored.length > 0 && (
				<>
					<h2>Files that were not read</h2>
					<ul class="plain">
						{dataset.ignored.map(({ file, reason }) => (
							<li key={file}>
								<code>{file}</code>: {reason}
							</li>
						))}
					</ul>
				</>
			)}
			<h2>About the files</h2>
			<Facts
				rows={[
					['Id', <code>{id}</code>],
					['Uploaded', moment(dataset.created_at)],
					['SHA-256', <code>{dataset.sha256}</code>],
				]}
			/>
			{dataset.manifest === null ? (
				<p class="quiet">It was uploaded without a manifest: all was found out from the files.</p>
			) : (
				<ManifestView manifest={dataset.manifest} />
			)}
			{isAsked.value && (
				<DeleteDataset
					dataset={dataset}
					close={() => {
						isAsked.value = false;
					}}
					deleted={() => go('#/data')}
				/>
			)}
		</>
	);
}

/** One dataset: what is in it, and what it can be used for. */
export function DatasetPage({ params: { id = '' } }: PageProps): VNode {
	const dataset = useLoading(() => client.value.datasets.get(id));
	const { value, error } = dataset.value;
	if (value !== null) return <Dataset dataset={value} again={dataset.again} />;
	return (
		<>
			<PageTitle title="Dataset" above={<a href="#/data">Data</a>} />
			{error === null ? (
				<p class="quiet" role="status">
					Loading …
				</p>
			) : (
				<Problem error={error} title="The dataset could not be read" again={dataset.again} />
			)}
		</>
	);
}
