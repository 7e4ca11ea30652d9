import { shapeText } from './npy-header.js';
import type { NpyArray } from './npy-reader.js';
import { refusal } from './refusal.js';

/** The rows of an array of one value a row: `[rows]` or `[rows, 1]`, at least one. */
export function rowsOfOne({ file, header: { shape } }: NpyArray): number {
	if (shape.length === 0 || shape.length > 2 || (shape.length === 2 && shape[1] !== 1))
		throw refusal(file, 'one value a row, of shape (rows,)', `shape ${shapeText(shape)}`);
	return someRows(file, shape);
}

/** The first axis, which may not be empty. */
export function someRows(file: string, shape: readonly number[]): number {
	const rows = shape[0] ?? 0;
	if (rows === 0) throw refusal(file, 'at least one row', `shape ${shapeText(shape)}`);
	return rows;
}

/** Row counts of one split agree with its labels. */
export function sameRows(file: string, shape: readonly number[], rows: number, labels: string): void {
	if (shape[0] !== rows) throw refusal(file, `${rows} rows, as ${labels} has`, `${shape[0] ?? 0}, shape ${shapeText(shape)}`);
}
