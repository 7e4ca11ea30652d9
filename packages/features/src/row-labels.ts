import { ProblemError } from '@steelyard/contracts';
import type { Cell } from '@steelyard/table';
import type { CellReading } from './cells.js';
import type { Several, Task } from './task.js';

/** The labels of all rows. */
export type RowLabels = {
	/** The number of the class of each row, or its value; 0 where rows have several labels. NaN where a row has none. */
	readonly values: Float64Array;
	/** `[rows, classes]` of 0 and 1, where rows have several labels; else null. */
	readonly flags: Uint8Array | null;
};

/** Reads labels, row by row. */
export type LabelReader = {
	/** Takes the cells of the labels of the row of that number. Throws ProblemError. */
	add(cells: readonly Cell[], row: number): void;
	/** The labels that rows have several of; null where each has one. */
	several(): Several | null;
	/** The labels of all rows that were added. Throws ProblemError for a label that none of the classes is. */
	labels(task: Task, reading: CellReading): RowLabels;
};

/** The columns of the labels, and how they are read. */
export type LabelColumns = {
	readonly names: readonly string[];
	readonly missing: ReadonlySet<string>;
	/** What stands between the labels of a cell. */
	readonly separator: string | undefined;
};

/** The most different labels that are counted. */
export const MOST_LABELS = 20_000;
/** The most numbers of 0 and 1 for the labels of all rows together. */
const MOST_FLAGS = 2 ** 28;

/** Memory for flags `[rows, labels]`. Throws ProblemError where there would be too many. */
export function emptyFlags(rows: number, labels: number): Uint8Array {
	if (rows * labels <= MOST_FLAGS) return new Uint8Array(rows * labels);
	throw new ProblemError(
		'invalid_dataset',
		`The dataset: expected at most ${MOST_FLAGS} labels of 0 and 1, found ${rows} rows of ${labels}`,
		'label',
	);
}

/** A refusal of what stands as a label in a row. */
export const labelRefusal = (name: string, row: number, expected: string, found: string, param = 'label'): ProblemError =>
	new ProblemError('invalid_dataset', `The label ${JSON.stringify(name)}, row ${row}: expected ${expected}, found ${found}`, param);

/** A refusal of a label that none of the classes is. */
export function classRefusal(name: string, row: number, classes: readonly string[], found: string): ProblemError {
	const some = classes.slice(0, 10).map((text) => JSON.stringify(text));
	const expected = `one of ${some.join(', ')}${classes.length > 10 ? ', …' : ''}`;
	return labelRefusal(name, row, expected, JSON.stringify(found.slice(0, 60)), 'manifest.task.classes');
}
