import type { Cell, Rows, Table } from './cell.js';
import { plainCell } from './plain-cell.js';

/** The cells of an object in the order of the columns; null where it lacks a field. Throws TableError for a value that no cell holds. */
export const cellsOf = (object: Readonly<Record<string, unknown>>, columns: readonly string[], file: string, row: number): Cell[] =>
	columns.map((column) => (Object.hasOwn(object, column) ? plainCell(object[column], { file, row, column }) : null));

/** A table of objects in memory, whose fields are the columns; an object may leave fields out. `file` is what messages call it. */
export function tableOf(objects: readonly Readonly<Record<string, unknown>>[], file: string): Table {
	const columns = [...new Set(objects.flatMap((object) => Object.keys(object)))];
	async function* rows(): AsyncGenerator<Rows> {
		yield { first: 0, rows: objects.map((object, row) => cellsOf(object, columns, file, row)) };
	}
	return { file, columns, renamed: new Map(), delimiter: null, rows };
}
