import type { TableManifest } from '@steelyard/contracts';
import type { Cell } from '@steelyard/table';

/** How the cells of a column are read. */
export type CellReading = {
	/** Texts, in lower case, that mean that nothing is there, beside the empty one. */
	readonly missing: ReadonlySet<string>;
	readonly decimal: '.' | ',';
	readonly dayFirst: boolean;
};

/** The texts that commonly mean that nothing is there (those of pandas), in lower case. */
const MISSING_TEXTS: ReadonlySet<string> = new Set([
	'#n/a',
	'#n/a n/a',
	'#na',
	'-1.#ind',
	'-1.#qnan',
	'-nan',
	'1.#ind',
	'1.#qnan',
	'<na>',
	'n/a',
	'na',
	'nan',
	'none',
	'null',
	'?',
]);

/** The texts that mean that nothing is there, in lower case: those of the manifest, where it says any. */
export const missingTexts = ({ missing }: TableManifest): ReadonlySet<string> =>
	missing === undefined ? MISSING_TEXTS : new Set(missing.map((text) => text.trim().toLowerCase()));

/** The text of a cell; null where nothing is there. Lists have none. */
export function textOf(cell: Cell, missing: ReadonlySet<string>): string | null {
	if (cell === null) return null;
	const text = typeof cell === 'string' ? cell.trim() : typeof cell === 'number' ? String(cell) : '';
	return text === '' || (text.length <= 200 && missing.has(text.toLowerCase())) ? null : text;
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** The number that a text writes; NaN for any other text. */
export function numberOf(text: string, decimal: '.' | ','): number {
	const plain = decimal === ',' ? text.replace(',', '.') : text;
	return NUMBER.test(plain) && !(decimal === ',' && text.includes('.')) ? Number(plain) : Number.NaN;
}

/** The number of a cell; NaN where there is none. */
export function cellNumber(cell: Cell, { missing, decimal }: CellReading): number {
	if (typeof cell === 'number') return cell;
	const text = textOf(cell, missing);
	return text === null ? Number.NaN : numberOf(text, decimal);
}
