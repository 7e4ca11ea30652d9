import { shapeText } from './npy-header.js';
import type { NpyArray } from './npy-reader.js';
import { refusal } from './refusal.js';

/** The number of rows of an array of one value per row, `[rows]` or `[rows, 1]`. Refuses another shape and an empty array. */
export function rowsOfOne({ file, header: { shape } }: NpyArray): number {
	if (shape.length === 0 || shape.length > 2 || (shape.length === 2 && shape[1] !== 1))
		throw refusal(file, 'one value per row, of shape (rows,)', `shape ${shapeText(shape)}`);
	return someRows(file, shape);
}

/** The size of the first axis. Refuses an empty one. */
export function someRows(file: string, shape: readonly number[]): number {
	const rows = shape[0] ?? 0;
	if (rows === 0) throw refusal(file, 'at least one row', `shape ${shapeText(shape)}`);
	return rows;
}

/** Refuses an array that does not have as many rows as the labels of its split. */
export function sameRows(file: string, shape: readonly number[], rows: number, labels: string): void {
	if (shape[0] !== rows) throw refusal(file, `${rows} rows, as ${labels} has`, `${shape[0] ?? 0}, shape ${shapeText(shape)}`);
}
