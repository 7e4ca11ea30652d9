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

const LAST_OF_ASCII = 127;
/** Whether a text of ASCII that begins and ends in these has no space around it. */
const isInk = (code: number): boolean => code > 32 && code < LAST_OF_ASCII;

/** By what almost every text is known to be none of a set, without a look into it: a longer one, or one that ends otherwise (places of ASCII, in either case). */
type Ends = { readonly of: ReadonlySet<string>; readonly longest: number; readonly last: Uint8Array };

function endsOf(texts: ReadonlySet<string>): Ends {
	const last = new Uint8Array(LAST_OF_ASCII + 1);
	for (const text of texts)
		for (const end of [text, text.toUpperCase()]) if (end !== '') last[Math.min(LAST_OF_ASCII, end.charCodeAt(end.length - 1))] = 1;
	return { of: texts, longest: Math.max(0, ...[...texts].map(({ length }) => length)), last };
}

/** Those of the set that was asked for last: a table has one. */
let ends = endsOf(MISSING_TEXTS);

/** Whether a text is one of a set, in any case. No text is longer than itself in lower case. */
function isOneOf(texts: ReadonlySet<string>, text: string): boolean {
	if (ends.of !== texts) ends = endsOf(texts);
	const last = text.charCodeAt(text.length - 1);
	return text.length <= ends.longest && (last >= LAST_OF_ASCII || ends.last[last] === 1) && texts.has(text.toLowerCase());
}

/** The text of a cell; null where nothing is there. Lists have none. */
export function textOf(cell: Cell, missing: ReadonlySet<string>): string | null {
	if (cell === null) return null;
	let text = typeof cell === 'string' ? cell : typeof cell === 'number' ? String(cell) : '';
	if (text !== '' && !(isInk(text.charCodeAt(0)) && isInk(text.charCodeAt(text.length - 1)))) text = text.trim();
	return text === '' || isOneOf(missing, text) ? null : text;
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Whether a number may begin with this: one of + , - . / and the digits; and so may it end. */
const isOfNumber = (code: number): boolean => code >= 43 && code <= 57;

/** The number that a text writes; NaN for any other text. */
export function numberOf(text: string, decimal: '.' | ','): number {
	if (!(isOfNumber(text.charCodeAt(0)) && isOfNumber(text.charCodeAt(text.length - 1)))) return Number.NaN;
	const plain = decimal === ',' ? text.replace(',', '.') : text;
	return NUMBER.test(plain) && !(decimal === ',' && text.includes('.')) ? Number(plain) : Number.NaN;
}

/** The number of a cell; NaN where there is none. */
export function cellNumber(cell: Cell, { missing, decimal }: CellReading): number {
	if (typeof cell === 'number') return cell;
	const text = textOf(cell, missing);
	return text === null ? Number.NaN : numberOf(text, decimal);
}
