import { useSignal, useSignalEffect } from '@preact/signals';
import { SteelyardError } from '@steelyard/client';
import type { ColumnKind, ColumnProfile, ColumnRole, TableManifest, TablePreview } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { ColumnsTable } from '../data/columns-table.js';
import '../data/data.css';
import { FileDrop } from '../data/file-drop.js';
import { LabelFields } from '../data/label-fields.js';
import { isEmptyManifest, saidOf, withKind, withModality, withRole } from '../data/manifest-edit.js';
import type { Editing } from '../data/manifest-field.js';
import { ManifestView } from '../data/manifest-view.js';
import { ModalityDialog } from '../data/modality-dialog.js';
import { CellFields, SplitFields } from '../data/reading-fields.js';
import { refusalPlace } from '../data/refusal-place.js';
import { lookAtTable } from '../data/table-look.js';
import { type Chosen, chosen } from '../data/table-sample.js';
import { type Sent, UploadProgress } from '../data/upload-progress.js';
import { bytes, count } from '../format.js';
import { wantsKey } from '../loading.js';
import { Fold } from '../parts/fold.js';
import { PageTitle } from '../parts/page-title.js';
import { Problem } from '../parts/problem.js';
import { go, linkTo } from '../router.js';
import { client } from '../session.js';

const KINDS: readonly ColumnKind[] = ['number', 'category', 'text', 'date', 'vector', 'sequence'];
const ROLES: readonly ColumnRole[] = ['feature', 'label', 'split', 'group', 'ignored'];
/** Fields that are always shown with a table, and those that are once its columns are known: there a refusal stands at the field itself. */
const LABEL_FIELDS: ReadonlySet<string> = new Set(['label', 'task.type', 'label_separator', 'missing_labels']);
const READING_FIELDS: ReadonlySet<string> = new Set([
	...['split', 'split.test', 'split.valid', 'split.seed', 'group', 'time'],
	...['decimal', 'day_first', 'missing'],
]);

/** Takes a file, shows how it would be read, lets that be corrected, and uploads it. */
export function UploadPage(): VNode {
	const file = useSignal<File | null>(null);
	const opened = useSignal<Chosen | null>(null);
	const name = useSignal('');
	const manifest = useSignal<TableManifest>({});
	const seen = useSignal<{ preview: TablePreview; guess: string | null } | null>(null);
	/** The columns that a refusal has listed, of a file in which they cannot be read here. */
	const listedNames = useSignal<readonly string[]>([]);
	const refusal = useSignal<Error | null>(null);
	const isLooking = useSignal(false);
	const isRefusedUpload = useSignal(false);
	const sent = useSignal<Sent | null>(null);
	const newModality = useSignal<string | null>(null);
	const looking = useRef<AbortController | null>(null);
	const uploading = useRef<AbortController | null>(null);
	useEffect(
		() => () => {
			looking.current?.abort();
			uploading.current?.abort();
		},
		[],
	);

	const preview = async (): Promise<void> => {
		looking.current?.abort();
		if (opened.value === null || !('table' in opened.value)) return;
		const own = new AbortController();
		looking.current = own;
		isLooking.value = true;
		try {
			const found = await lookAtTable(opened.value.table, manifest.value, {
				signal: own.signal,
				tellNames: (found) => {
					listedNames.value = found;
				},
			});
			if (own.signal.aborted) return;
			seen.value = found;
			refusal.value = null;
		} catch (error) {
			if (!own.signal.aborted) refusal.value = error as Error;
		} finally {
			if (looking.current === own) isLooking.value = false;
		}
	};
	// Once there is a key, what was refused for want of one is asked again.
	useSignalEffect(() => {
		void client.value;
		if (wantsKey(refusal.peek()) && !isRefusedUpload.peek()) queueMicrotask(() => void preview());
	});
	const change = (next: TableManifest): void => {
		manifest.value = next;
		isRefusedUpload.value = false;
		void preview();
	};
	const take = (next: File): void => {
		uploading.current?.abort();
		looking.current?.abort();
		file.value = next;
		opened.value = null;
		seen.value = null;
		listedNames.value = [];
		refusal.value = null;
		isRefusedUpload.value = false;
		manifest.value = {};
		name.value = '';
		isLooking.value = true;
		void chosen(next).then((found) => {
			if (file.value !== next) return;
			opened.value = found;
			isLooking.value = false;
			void preview();
		});
	};
	const upload = async (): Promise<void> => {
		const source = file.value;
		if (source === null) return;
		const own = new AbortController();
		uploading.current = own;
		refusal.value = null;
		isRefusedUpload.value = false;
		sent.value = { sent: 0, total: source.size };
		const options = {
			signal: own.signal,
			onProgress: (done: number, total: number | null) => {
				sent.value = { sent: done, total: total ?? source.size };
			},
			...(name.value.trim() === '' ? {} : { name: name.value.trim() }),
			...(isEmptyManifest(manifest.value) ? {} : { manifest: manifest.value }),
		};
		try {
			const dataset = await client.value.datasets.create(source, source.name, options);
			if (!own.signal.aborted) go(linkTo(`/data/${dataset.id}`));
		} catch (error) {
			if (own.signal.aborted) return;
			refusal.value = error as Error;
			isRefusedUpload.value = true;
		} finally {
			if (uploading.current === own) sent.value = null;
		}
	};

	const columns = seen.value?.preview.columns ?? [];
	const table = opened.value !== null && 'table' in opened.value ? opened.value.table : null;
	const read = table === null || table.names.length === 0 ? listedNames.value : table.names;
	const names = columns.length > 0 ? columns.map((column) => column.name) : read;
	const param = refusal.value instanceof SteelyardError ? refusal.value.param : null;
	const at = refusal.value === null ? null : refusalPlace({ param, message: refusal.value.message }, names);
	const editing: Editing = {
		manifest: manifest.value,
		change,
		faultOf: (field) => (at?.field === field ? (refusal.value?.message ?? null) : null),
	};
	const modalities = [...new Set(columns.flatMap(({ modality }) => modality ?? []))];
	const guess = seen.value?.guess ?? null;
	const { label } = manifest.value;
	const corrections = Object.keys(manifest.value).filter((field) => field !== 'label').length;
	const isBusy = sent.value !== null;
	const options = (values: readonly string[]) =>
		values.map((value) => (
			<option key={value} value={value}>
				{value}
			</option>
		));
	const editors = {
		role: (column: ColumnProfile) =>
			column.role === 'label' ? (
				<>{guess === column.name ? 'label?' : 'label'}</>
			) : (
				<select
					aria-label={`Role of ${column.name}`}
					value={saidOf(manifest.value, column).role}
					onChange={(event) => change(withRole(manifest.value, columns, column.name, event.currentTarget.value as ColumnRole))}
				>
					{options(ROLES)}
				</select>
			),
		kind: (column: ColumnProfile) =>
			column.role === 'feature' ? (
				<select
					aria-label={`Kind of ${column.name}`}
					value={saidOf(manifest.value, column).kind}
					onChange={(event) => change(withKind(manifest.value, column.name, event.currentTarget.value as ColumnKind))}
				>
					{options(KINDS)}
				</select>
			) : (
				(column.kind ?? '–')
			),
		modality: (column: ColumnProfile) =>
			column.role === 'feature' ? (
				<select
					aria-label={`Modality of ${column.name}`}
					value={saidOf(manifest.value, column).modality}
					onChange={(event) => {
						const { value } = event.currentTarget;
						if (value !== '') {
							change(withModality(manifest.value, columns, column.name, value));
							return;
						}
						event.currentTarget.value = saidOf(manifest.value, column).modality ?? '';
						newModality.value = column.name;
					}}
				>
					{options(modalities)}
					<option value="">new …</option>
				</select>
			) : (
				'–'
			),
		fault: (column: ColumnProfile) => (at?.column === column.name ? (refusal.value?.message ?? null) : null),
	};
	const isInFold = typeof at?.field === 'string' && READING_FIELDS.has(at.field);
	const fields = table !== null && (
		<>
			<LabelFields key={`${file.value?.name}`} editing={editing} names={names} preview={seen.value?.preview ?? null} guess={guess} />
			{columns.length > 0 && (
				<>
					<h2>Columns</h2>
					<p class="hint" role="status">
						{isLooking.value
							? 'Looking at the table …'
							: `What ${count(columns.length, 'column')} were taken for, by ${count(seen.value?.preview.rows ?? 0, 'row')}. Correct what is wrong: role, kind and modality.`}
					</p>
					<div class={isLooking.value ? 'stale' : undefined}>
						<ColumnsTable columns={columns} editors={editors} />
					</div>
					<Fold title="Splits, and how cells are read" mustOpen={isInFold}>
						<SplitFields editing={editing} columns={columns} preview={seen.value?.preview ?? null} />
						<CellFields editing={editing} columns={columns} preview={seen.value?.preview ?? null} />
					</Fold>
				</>
			)}
		</>
	);
	const isPlaced =
		at !== null &&
		table !== null &&
		(at.column !== null
			? columns.some((column) => column.name === at.column)
			: at.field !== null && (LABEL_FIELDS.has(at.field) || (columns.length > 0 && isInFold)));
	return (
		<>
			<PageTitle title="Upload data" above={<a href="#/data">Data</a>} />
			<FileDrop file={file.value} take={take} />
			{file.value !== null && (
				<p>
					<strong>{file.value.name}</strong> <span class="quiet">{bytes(file.value.size)}</span>
				</p>
			)}
			{file.value !== null && isLooking.value && columns.length === 0 && (
				<p class="quiet" role="status">
					Looking at the file …
				</p>
			)}
			{opened.value !== null && 'arrays' in opened.value && (
				<div class="note">
					<strong>An archive of arrays</strong>
					<p>Arrays are taken as they are, so there is nothing to correct beforehand. The service checks all of them as it reads them.</p>
					{opened.value.arrays.length > 0 && (
						<details class="fold">
							<summary>{count(opened.value.arrays.length, 'file')} in it</summary>
							<ul class="plain">
								{opened.value.arrays.slice(0, 200).map((one) => (
									<li key={one}>
										<code>{one}</code>
									</li>
								))}
							</ul>
						</details>
					)}
				</div>
			)}
			{fields}
			{refusal.value !== null && !isPlaced && (
				<Problem
					error={refusal.value}
					title={isRefusedUpload.value ? 'The dataset was not taken' : 'The file cannot be read'}
					again={() => void (isRefusedUpload.value ? upload() : preview())}
				/>
			)}
			{at !== null && at.column !== null && !isPlaced && (
				<p class="actions">
					<button type="button" onClick={() => change(withRole(manifest.value, columns, at.column as string, 'ignored'))}>
						Leave {at.column} out
					</button>
				</p>
			)}
			{isPlaced && (
				<p class="note bad">
					{isRefusedUpload.value ? 'The dataset was not taken' : 'The table cannot be read like this'}: see{' '}
					{at?.column !== null ? `the column ${at?.column}` : 'the field in red'} above.
				</p>
			)}
			{opened.value !== null && (
				<>
					<h2>Upload</h2>
					<label class="field narrow">
						<span>Name of the dataset</span>
						<input
							value={name.value}
							maxLength={200}
							placeholder={file.value?.name.replace(/\.gz$/i, '').replace(/\.[^.]+$/, '')}
							onInput={(event) => {
								name.value = event.currentTarget.value;
							}}
						/>
					</label>
					{sent.value !== null ? (
						<UploadProgress sent={sent.value} cancel={() => uploading.current?.abort()} />
					) : (
						<p class="actions">
							<button
								type="button"
								class="primary"
								disabled={
									isBusy || isLooking.value || (table !== null && (guess !== null || (refusal.value !== null && !isRefusedUpload.value)))
								}
								onClick={() => void upload()}
							>
								Upload
							</button>
							<span class="quiet">
								{guess !== null
									? 'Choose what is to be predicted first.'
									: refusal.value !== null && !isRefusedUpload.value
										? 'Mend what is refused first.'
										: 'The whole file is sent to this service, checked, and kept.'}
							</span>
						</p>
					)}
					{table !== null && (
						<>
							<ManifestView manifest={manifest.value} />
							{corrections > 0 && (
								<button type="button" class="small" onClick={() => change(label === undefined ? {} : { label })}>
									Undo all corrections but the label
								</button>
							)}
						</>
					)}
				</>
			)}
			{newModality.value !== null && (
				<ModalityDialog
					column={newModality.value}
					taken={modalities}
					close={(chosenName) => {
						const column = newModality.value;
						newModality.value = null;
						if (chosenName !== null && column !== null) change(withModality(manifest.value, columns, column, chosenName));
					}}
				/>
			)}
		</>
	);
}
