import { ProblemError, type TableManifest, type TaskType } from '@steelyard/contracts';
import { type CellReading, numberOf } from './cells.js';
import type { ColumnScan } from './scan.js';

/** What is predicted of a row. */
export type Task = {
	readonly type: TaskType;
	/** The labels of the classes, in the order of their numbers; null for regression. */
	readonly classes: readonly string[] | null;
	/** Whether the labels of classes are numbers, so that 1 and 1.0 are one. */
	readonly numeric: boolean;
};

/** The labels that rows have several of: those of columns of 0 and 1, or those that stand in the cells of one column. */
export type Several = { readonly by: 'columns' | 'cells'; readonly labels: readonly string[] };

/** The most classes that whole numbers are taken for, and the most that texts may be. */
const NUMBER_CLASSES = 20;
const MOST_CLASSES = 1000;
const LONGEST = 200;

const refusal = (detail: string, param: string): ProblemError => new ProblemError('invalid_dataset', detail, param);

/** The columns of labels in a message. */
export const labelText = (names: readonly string[]): string =>
	`The ${names.length === 1 ? 'label' : 'labels'} ${names
		.slice(0, 5)
		.map((name) => JSON.stringify(name))
		.join(', ')}${names.length > 5 ? `, … (${names.length} columns)` : ''}`;

/** The number that a label writes, in the form that JavaScript gives it, so that 1, 1.0 and "1" are one class. */
export const numberText = (text: string, { decimal }: Pick<CellReading, 'decimal'>): string => String(numberOf(text, decimal));

const byNumber = (a: string, b: string): number => Number(a) - Number(b);
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function expectShort(column: string, classes: readonly string[]): void {
	const long = classes.find((label) => label.length > LONGEST);
	if (long !== undefined)
		throw refusal(`${column}: expected labels of at most ${LONGEST} characters, found ${JSON.stringify(`${long.slice(0, 60)}…`)}`, 'label');
}

/** What is predicted, by the one label of each row. */
export function taskOf(name: string, scan: ColumnScan, reading: CellReading, manifest: TableManifest): Task {
	const { type, classes } = manifest.task ?? {};
	const numeric = scan.numbers === scan.present && scan.present > 0;
	const { distinct } = scan;
	const found = distinct === null ? null : new Set(distinct.map((text) => (numeric ? numberText(text, reading) : text)));
	const inferred = (): TaskType => {
		if (classes !== undefined) return classes.length === 2 ? 'binary' : 'multiclass';
		if (found?.size === 2) return 'binary';
		return numeric && (found === null || found.size > NUMBER_CLASSES || scan.whole < scan.numbers) ? 'regression' : 'multiclass';
	};
	const task = type ?? inferred();
	const column = labelText([name]);
	if (task === 'multilabel')
		throw refusal(
			`${column}: expected several columns of 0 and 1, a column of lists, or "label_separator" for a multilabel task, found one column of one label each`,
			'manifest.task.type',
		);
	if (task === 'regression') {
		if (!numeric)
			throw refusal(`${column}: expected numbers for a regression, found ${JSON.stringify([...scan.odd.keys()][0] ?? '')}`, 'label');
		if (classes !== undefined) throw refusal('manifest.json: task.classes: expected none for regression', 'manifest.task.classes');
		return { type: 'regression', classes: null, numeric };
	}
	if (found === null || (found.size > MOST_CLASSES && classes === undefined))
		throw refusal(
			`${column}: expected at most ${MOST_CLASSES} classes, found ${found?.size ?? 'more'}; numbers are predicted by "task": {"type": "regression"}`,
			'label',
		);
	const sorted = classes ?? [...found].sort(numeric ? byNumber : byText);
	if (sorted.length < 2)
		throw refusal(
			`${column}: expected two classes or more, found ${sorted.length === 0 ? 'none' : `only ${JSON.stringify(sorted[0])}`}`,
			'label',
		);
	if (task === 'binary' && sorted.length !== 2)
		throw refusal(`${column}: expected 2 classes for a binary task, found ${sorted.length}`, 'label');
	expectShort(column, sorted);
	return { type: task, classes: sorted, numeric };
}

/** What is predicted where rows have several labels: the names of the columns in their order, or the labels in the order of the manifest, of numbers or of the alphabet. */
export function severalTask(names: readonly string[], { by, labels }: Several, manifest: TableManifest): Task {
	const { type = 'multilabel', classes } = manifest.task ?? {};
	const column = labelText(names);
	if (type !== 'multilabel')
		throw refusal(`${column}: expected "task": {"type": "multilabel"} for rows of several labels, found "${type}"`, 'manifest.task.type');
	if (by === 'columns') {
		if (classes !== undefined)
			throw refusal('manifest.json: task.classes: expected none: the columns of the labels are the classes', 'manifest.task.classes');
		return { type, classes: labels, numeric: false };
	}
	if (labels.length > MOST_CLASSES && classes === undefined)
		throw refusal(
			`${column}: expected at most ${MOST_CLASSES} different labels, found ${labels.length} or more; task.classes in the manifest may name more`,
			'label',
		);
	const numeric = labels.every((label) => !Number.isNaN(numberOf(label, '.')));
	const sorted = classes ?? [...labels].sort(numeric ? byNumber : byText);
	if (sorted.length < 2)
		throw refusal(
			`${column}: expected two labels or more, found ${sorted.length === 0 ? 'none' : `only ${JSON.stringify(sorted[0])}`}`,
			'label',
		);
	expectShort(column, sorted);
	return { type, classes: sorted, numeric: false };
}
