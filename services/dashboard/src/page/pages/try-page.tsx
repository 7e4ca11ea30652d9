import { batch, useComputed, useSignal } from '@preact/signals';
import { SteelyardError } from '@steelyard/client';
import type { ColumnProfile, DatasetResource, JobResource } from '@steelyard/contracts';
import type { VNode } from 'preact';
import '../data/data.css';
import { shapeWords, taskWords } from '../data/dataset-facts.js';
import { wholeNumber } from '../data/dataset-rows-section.js';
import { knownValues } from '../data/distribution.js';
import { listShape } from '../data/shown-value.js';
import { ValuesPicture } from '../data/values-picture.js';
import { useLoading } from '../loading.js';
import type { PageProps } from '../pages.js';
import { useOwnQuery } from '../parts/own-query.js';
import { PageTitle } from '../parts/page-title.js';
import { Problem } from '../parts/problem.js';
import { linkTo, place, setQuery } from '../router.js';
import { client } from '../session.js';
import { JsonTrial } from '../try/json-trial.js';
import { fieldsOf, leavingOut, openTrials } from '../try/tried.js';
import { ValueField } from '../try/value-field.js';
import { WhatChanges } from '../try/what-changes.js';

/** The longest typed values that the address keeps. */
const LONGEST = 4000;

/** Typed values in an address; none where it is no object. */
function typedIn(text: string | null): Record<string, unknown> {
	if (text === null) return {};
	try {
		const value = JSON.parse(text) as unknown;
		return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
	} catch {
		return {};
	}
}

const preferred = (splits: readonly string[]): string => ['test', 'valid'].find((name) => splits.includes(name)) ?? splits[0] ?? 'train';

/** The modalities that the model of a job reads. */
function modalitiesOf(job: JobResource, dataset: DatasetResource): string[] {
	const weighed = Object.keys(job.result?.modality_weights ?? {});
	return weighed.length > 0 ? weighed : Object.keys(dataset.modalities);
}

/** Picks rows of the dataset of a job, lets them be changed, and shows what the model says of them. */
function RowTrial({ job, dataset }: { job: JobResource; dataset: DatasetResource }): VNode {
	const splits = Object.keys(dataset.splits);
	const modalities = modalitiesOf(job, dataset);
	const typed = useSignal(typedIn(place.peek().query.get('values')));
	const isLong = useSignal(false);
	const chosen = useOwnQuery(`/jobs/${job.id}/try`, (query) => {
		const split = query.get('split') ?? '';
		return {
			split: splits.includes(split) ? split : preferred(splits),
			row: query.get('row') === 'none' ? null : wholeNumber(query.get('row')),
			without: query.getAll('without').filter((name) => modalities.includes(name)),
		};
	});
	const run = useComputed(() => openTrials(client.value, job.id, dataset));
	const tried = useLoading(() => run.value({ ...chosen.value, typed: typed.value }));
	const setTyped = (values: Record<string, unknown>, fields: Record<string, string | null> = {}): void => {
		const text = JSON.stringify(values);
		batch(() => {
			isLong.value = text.length > LONGEST;
			typed.value = values;
			setQuery({ ...fields, values: text === '{}' || isLong.value ? null : text });
		});
	};
	const pick = (split: string, row: number | null): void =>
		setTyped({}, { split: split === preferred(splits) ? null : split, row: row === null ? 'none' : row === 0 ? null : String(row) });
	const { split, row, without } = chosen.value;
	const { value, error, isLoading } = tried.value;
	const kept = value?.kept ?? 0;
	const own = value?.row?.values ?? {};
	const { table } = dataset;
	const refusal = value?.refusal ?? null;
	const param = refusal instanceof SteelyardError ? refusal.param : null;
	const fields = modalities.flatMap((modality) => fieldsOf(dataset, modality));
	const faulty = fields.find((field) => param === `rows.0.${field}` || param?.startsWith(`rows.0.${field}.`)) ?? null;
	const columnOf = (field: string): ColumnProfile =>
		table?.columns.find(({ name }) => name === field) ?? { name: field, role: 'feature', kind: 'vector', missing: 0, examples: [] };
	const withoutWords = `without ${without.join(', ')}`;
	return (
		<>
			<h2>Which row</h2>
			<div class="actions">
				<label>
					Split{' '}
					<select value={split} onChange={(event) => pick(event.currentTarget.value, 0)}>
						{splits.map((name) => (
							<option key={name} value={name}>
								{name}
							</option>
						))}
					</select>
				</label>
				<label>
					Row{' '}
					<input
						class="row-number"
						type="number"
						min={0}
						max={Math.max(0, kept - 1)}
						value={row ?? ''}
						placeholder="none"
						onChange={(event) => pick(split, wholeNumber(event.currentTarget.value))}
					/>
				</label>
				<button type="button" disabled={row === null || row === 0} onClick={() => pick(split, (row ?? 1) - 1)}>
					Row before
				</button>
				<button type="button" disabled={row !== null && row >= kept - 1} onClick={() => pick(split, row === null ? 0 : row + 1)}>
					Row after
				</button>
				<button type="button" disabled={kept < 2} onClick={() => pick(split, Math.floor(Math.random() * kept))}>
					Any row
				</button>
				<button type="button" disabled={row === null} onClick={() => pick(split, null)}>
					Empty form
				</button>
			</div>
			{error !== null && <Problem error={error} title="The row could not be read" again={tried.again} />}
			{value !== null && kept === 0 && (
				<p class="note">The rows of this dataset were not kept as they were uploaded. Type the values of a row below.</p>
			)}
			{value !== null && kept > 0 && row !== null && value.row === null && !isLoading && (
				<p class="note warn">
					There is no row {row.toLocaleString('en')} here: {split} has rows 0 to {(kept - 1).toLocaleString('en')}
					{kept < (dataset.splits[split]?.rows ?? 0) ? ' that are kept' : ''}.
				</p>
			)}
			<div class="try">
				<form
					aria-label="Values of the row"
					onSubmit={(event) => {
						event.preventDefault();
						tried.again();
					}}
				>
					<h2>Its values</h2>
					<p class="hint">Change any of them to see what the model says then. An empty field means that nothing is there.</p>
					{modalities.map((modality) => {
						const isOut = without.includes(modality);
						const way = leavingOut(dataset, modality);
						return (
							<fieldset key={modality} class="box">
								<legend>{modality}</legend>
								<label class="switch">
									<input
										type="checkbox"
										checked={isOut}
										disabled={way === 'never'}
										onChange={(event) =>
											setQuery({
												without: event.currentTarget.checked ? [...without, modality] : without.filter((name) => name !== modality),
											})
										}
									/>{' '}
									without {modality}
								</label>
								{isOut && way === 'mean' && (
									<p class="hint">
										All rows of the training had it, so the model cannot do without. It gets the mean over the first rows of the split
										instead.
									</p>
								)}
								{isOut && way === 'nothing' && dataset.modalities[modality]?.masked === false && (
									<p class="hint">All rows of the training had it: the model takes an empty one for an average one.</p>
								)}
								{way === 'never' && <p class="hint">All rows of the training had it, and ids have no mean: it cannot be left out.</p>}
								{value !== null &&
									fieldsOf(dataset, modality).map((field) => {
										const column = columnOf(field);
										const shown = value.values[field];
										const change = (next: unknown): void => setTyped({ ...typed.value, [field]: next });
										const restore = (): void => {
											const { [field]: _, ...others } = typed.value;
											setTyped(others);
										};
										return (
											<div key={`${split} ${row} ${field}`} class={isOut ? 'left-out' : undefined}>
												{table === undefined && Array.isArray(shown) && (
													<div class="list-cell">
														<ValuesPicture value={shown} />
														<span class="quiet">{shapeWords(listShape(shown))} numbers</span>
													</div>
												)}
												<ValueField
													name={table === undefined ? `${field} as JSON` : field}
													column={column}
													known={knownValues(column)}
													value={shown}
													isEdited={Object.hasOwn(typed.value, field) && Object.hasOwn(own, field)}
													fault={faulty === field ? (refusal?.message ?? null) : null}
													change={change}
													restore={restore}
												/>
											</div>
										);
									})}
							</fieldset>
						);
					})}
					{isLong.value && (
						<p class="hint">
							What you typed is too long for the address: who opens it from elsewhere sees the row as it is in the dataset.
						</p>
					)}
					<p class="actions">
						<button type="submit" class="primary" disabled={isLoading}>
							Predict
						</button>
						{Object.keys(typed.value).length > 0 && row !== null && (
							<button type="button" onClick={() => setTyped({})}>
								All as in the row
							</button>
						)}
					</p>
				</form>
				<section aria-labelledby="said-title" class={isLoading ? 'stale' : undefined}>
					<h2 id="said-title">What the model says</h2>
					<p class="unseen" role="status">
						{isLoading ? 'The model is run' : 'The model was run'}
					</p>
					{value === null && error === null && <p class="quiet">The model is loaded and run …</p>}
					{refusal !== null && faulty === null && <Problem error={refusal} title="The model takes no such row" again={tried.again} />}
					{faulty !== null && (
						<p class="note bad">
							The model takes no such row: see <strong>{faulty}</strong>.
						</p>
					)}
					{value !== null && value.asIs === null && refusal === null && !isLoading && (
						<p class="quiet">Type a value, or pick a row: the prediction stands here then.</p>
					)}
					{value !== null && value.asIs !== null && (
						<WhatChanges asIs={value.asIs} changed={value.changed} without={withoutWords} label={value.row?.label} />
					)}
				</section>
			</div>
		</>
	);
}

/** The dataset of a job; null where it was deleted. */
async function datasetOf(job: JobResource): Promise<DatasetResource | null> {
	try {
		return await client.value.datasets.get(job.spec.dataset);
	} catch (error) {
		if (error instanceof SteelyardError && error.code === 'not_found') return null;
		throw error;
	}
}

/** Tries the model of a job on single rows: what it predicts, and which modality that hangs on. */
export function TryPage({ params: { id = '' } }: PageProps): VNode {
	const loading = useLoading(async () => {
		const job = await client.value.jobs.get(id);
		return { job, dataset: job.status === 'succeeded' ? await datasetOf(job) : null };
	});
	const { value, error } = loading.value;
	const job = value?.job;
	const title = job === undefined ? 'Try the model' : `Try ${job.spec.name ?? job.id}`;
	return (
		<>
			<PageTitle title={title} above={<a href={linkTo(`/jobs/${id}`)}>The job</a>}>
				{value?.dataset && (
					<a class="button" href={linkTo(`/data/${value.dataset.id}`)}>
						Its dataset
					</a>
				)}
			</PageTitle>
			{error !== null && <Problem error={error} title="The job could not be read" again={loading.again} />}
			{value === null && error === null && (
				<p class="quiet" role="status">
					Loading …
				</p>
			)}
			{value !== null && value.job.status !== 'succeeded' && (
				<div class="note">
					<strong>There is no model yet</strong>
					<p>
						The job is {value.job.status}. A model can be tried once its job has succeeded. <a href={linkTo(`/jobs/${id}`)}>See the job</a>.
					</p>
				</div>
			)}
			{value !== null && value.job.status === 'succeeded' && (
				<>
					{value.dataset !== null && <p class="hint">It predicts {taskWords(value.dataset.task)} for each row.</p>}
					{value.dataset === null ? <JsonTrial job={value.job} /> : <RowTrial key={value.job.id} job={value.job} dataset={value.dataset} />}
				</>
			)}
		</>
	);
}
