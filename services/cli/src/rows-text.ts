import type { DatasetRow, DatasetRows } from '@steelyard/contracts';
import { plain } from './named-texts.js';
import { table } from './output.js';
import { countText } from './units.js';

/** Most columns of values that are shown, and most characters of a cell. */
const MOST_COLUMNS = 8;
const LONGEST = 24;

/** The sizes of nested lists, the outermost first. */
const sizesOf = (value: unknown): number[] => (Array.isArray(value) ? [value.length, ...sizesOf(value[0])] : []);

/** A value for a cell of a table: lists of more than four values by their sizes, texts cut where they are long, and nothing for what is missing. */
function valueText(value: unknown): string {
	if (value === null || value === undefined) return '';
	if (Array.isArray(value) && (value.length > 4 || value.some(Array.isArray))) return `${sizesOf(value).join(' x ')} values`;
	const text = plain(Array.isArray(value) ? value.map((one) => one ?? '').join(', ') : String(value));
	return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

/** Rows of a split for people to read, and what is not shown of them. */
export function rowsText({ split, total, kept, left_out, data }: DatasetRows): string {
	if (data.length === 0)
		return kept === 0
			? `No rows of ${split} were kept; this is so of tables that were uploaded to an earlier version.`
			: `There are no more rows: of ${split} the first ${countText(kept)} can be shown.`;
	const columns = [...new Set(data.flatMap(({ values }) => Object.keys(values)))];
	const shown = columns.slice(0, MOST_COLUMNS);
	const rowOf = ({ row, label, values }: DatasetRow): string[] => [
		...[countText(row), valueText(label)],
		...shown.map((name) => valueText(values[name])),
	];
	const hidden = columns.length - shown.length;
	const notes = [
		...(hidden === 0 ? [] : [`and ${countText(hidden)} more ${hidden === 1 ? 'column' : 'columns'}, which --json shows`]),
		...(left_out.length === 0 ? [] : [`too large to be shown: ${left_out.map(plain).join(', ')}`]),
		`${split} has ${countText(total)} rows${kept < total ? `, of which the first ${countText(kept)} can be shown` : ''}`,
	];
	return [table([['row', 'label', ...shown.map(valueText)], ...data.map(rowOf)]), '', ...notes].join('\n');
}
