import type { Cell } from './cell.js';
import { TableError } from './table-error.js';

type Place = { file: string; row: number; column: string };

const isImage = (value: object): boolean => 'bytes' in value || 'path' in value;

/** A value of a parsed file as a cell. Throws TableError for bytes and for values that have fields. */
export function plainCell(value: unknown, place: Place): Cell {
	if (value === null || value === undefined) return null;
	switch (typeof value) {
		case 'string':
			return value;
		case 'number':
			return Number.isNaN(value) ? null : value;
		case 'boolean':
			return String(value);
		case 'bigint':
			return value >= -Number.MAX_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : String(value);
	}
	if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
	if (Array.isArray(value)) return value.map((item) => plainCell(item, place));
	const { file, row, column } = place;
	if (value instanceof Uint8Array || isImage(value as object))
		throw new TableError(file, 'text, a number or a list of these; images go in as arrays (docs/datasets.md)', 'bytes', { row, column });
	if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number | bigint>, (item) => plainCell(item, place));
	throw new TableError(
		file,
		'text, a number or a list of these',
		`an object with the fields ${Object.keys(value as object)
			.slice(0, 5)
			.join(', ')}`,
		{ row, column },
	);
}
