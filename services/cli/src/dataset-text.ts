import { type ColumnProfile, type DatasetResource, dtypeOf, type TablePreview } from '@steelyard/contracts';
import { metadataRow, plain } from './named-texts.js';
import { table } from './output.js';
import { bytesText, countText, timeText } from './units.js';

/** How the values of one instance of a modality are laid out, and what of them is missing. */
function modalityText(modality: DatasetResource['modalities'][string]): string {
	const { shape, masked, missing } = modality;
	const sizes =
		shape.length > 2 ? shape.join(' x ') : shape.length === 2 ? `${shape[0]} steps of ${shape[1]} features` : `${shape[0]} features`;
	const dtype = dtypeOf(modality);
	const layout = dtype === 'float32' ? sizes : `${sizes}, ${dtype}`;
	if (!masked) return layout;
	return missing === 0 ? `${layout}, masked` : `${layout}, missing in ${(missing * 100).toFixed(1)} % of the rows`;
}

function taskText({ type, outputs, positions }: DatasetResource['task']): string {
	const counted = { multiclass: 'classes', multilabel: 'labels', binary: null, regression: null }[type];
	return [
		type,
		...(counted === null ? [] : [`${outputs} ${counted}`]),
		...(positions === undefined ? [] : [`a label for each of ${positions.join(' x ')} positions`]),
	].join(', ');
}

const MOST_COLUMNS = 60;
const short = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

/** What a column was taken for. */
const takenFor = ({ role, kind, modality }: ColumnProfile): string =>
	role === 'feature' ? `${kind}${modality === undefined ? '' : ` in ${modality}`}` : role;

/** What the columns of a table were taken for: a row for each, with notes below. */
export function columnsText(columns: readonly ColumnProfile[]): string {
	const shown = columns.slice(0, MOST_COLUMNS);
	const notes = shown.flatMap(({ name, note }) => (note === undefined ? [] : [`${short(plain(name), 30)}: ${note}`]));
	return [
		table([
			['column', 'taken for', 'missing', 'values', 'examples'],
			...shown.map((column) => [
				short(plain(column.name), 30),
				takenFor(column),
				column.missing === 0 ? '' : `${(column.missing * 100).toFixed(1)} %`,
				column.distinct === undefined ? 'many' : countText(column.distinct),
				short(plain(column.examples.join(', ')), 40),
			]),
		]),
		...(columns.length > MOST_COLUMNS ? [`… and ${columns.length - MOST_COLUMNS} more columns`] : []),
		...(notes.length === 0 ? [] : ['', ...notes]),
	].join('\n');
}

/** The column that is predicted, or several. */
const labelsText = (label: string | readonly string[]): string => short(plain([label].flat().join(', ')), 60);

/** How a table would be read. */
export const previewText = ({ files, rows, task, label, columns, delimiter, standard }: TablePreview): string =>
	[
		table([
			['file', files.join(', ')],
			['rows', `${countText(rows)} were looked at`],
			...(delimiter === undefined ? [] : [['delimiter', JSON.stringify(delimiter)]]),
			['label', labelsText(label)],
			['task', task.classes.length === 0 ? task.type : `${task.type}: ${short(plain(task.classes.join(', ')), 60)}`],
			['model', standard ? 'standard ONNX operators' : 'needs ONNX Runtime, for the text'],
		]),
		'',
		columnsText(columns),
	].join('\n');

/** A dataset for people to read. */
export function datasetText(dataset: DatasetResource): string {
	const { id, name, metadata, title, task, splits, modalities, bytes, ignored = [], created_at } = dataset;
	const text = table([
		['id', id],
		['name', name],
		...metadataRow(metadata),
		...(title === null ? [] : [['title', title]]),
		['task', taskText(task)],
		...(dataset.table === undefined ? [] : [['label', labelsText(dataset.table.label)]]),
		[
			'rows',
			Object.entries(splits)
				.map(([split, { rows }]) => `${split} ${countText(rows)}`)
				.join(', '),
		],
		...Object.entries(modalities).map(([modality, profile]) => [`modality ${modality}`, modalityText(profile)]),
		...(ignored.length === 0 ? [] : [['not read', ignored.map(({ file }) => file).join(', ')]]),
		['size', bytesText(bytes)],
		['created', timeText(created_at)],
	]);
	return dataset.table === undefined ? text : `${text}\n\n${columnsText(dataset.table.columns)}`;
}
