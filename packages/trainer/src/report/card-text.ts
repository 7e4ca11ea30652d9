import type { Bounds } from '@steelyard/contracts';

/** Rows and columns of a table that are shown. */
export const MOST_SHOWN = 12;

/** Text of a user as Markdown reads it in one line, cut where it is long. */
export function plain(text: string, most = 100): string {
	const line = text.replace(/\s+/g, ' ').trim();
	const cut = line.length > most ? `${line.slice(0, most - 1).trimEnd()}…` : line;
	return cut.replace(/[\\`*<|[\]]/g, '\\$&');
}

/** A number of rows or bytes, such as `12,345`. */
export const count = (value: number): string => value.toLocaleString('en-US');

/** A metric: three decimals, or four digits of what is large. */
export const figure = (value: number | null | undefined): string => {
	if (typeof value !== 'number') return '–';
	const text = Math.abs(value) >= 100 ? value.toPrecision(5) : value.toFixed(3);
	return text.replace('-', '−');
};

/** How much worse something is, with its sign. */
export const signed = (value: number | null | undefined): string =>
	typeof value === 'number' && value > 0 ? `+${figure(value)}` : figure(value);

export const withBounds = (value: number | null | undefined, bounds: Bounds | null | undefined): string =>
	bounds ? `${figure(value)} (${figure(bounds.low)} to ${figure(bounds.high)})` : figure(value);

/** A share as a percentage. */
export const percent = (share: number): string => `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;

/** Names as a list in a sentence. */
export function listed(names: readonly string[]): string {
	const shown = names.slice(0, MOST_SHOWN);
	const more = names.length - shown.length;
	const all = more > 0 ? [...shown, `${count(more)} more`] : shown;
	return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
}

/** A Markdown table whose columns line up in plain text; the first row is the head. */
export function markdownTable(rows: readonly (readonly string[])[]): string {
	const widths = (rows[0] ?? []).map((_, column) => Math.max(3, ...rows.map((row) => [...(row[column] ?? '')].length)));
	const line = (row: readonly string[]): string =>
		`| ${widths.map((width, column) => (row[column] ?? '') + ' '.repeat(width - [...(row[column] ?? '')].length)).join(' | ')} |`;
	const [head = [], ...body] = rows;
	return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...body.map(line)].join('\n');
}

/** A section of a card, without the parts that are empty. */
export const section = (title: string, ...parts: readonly string[]): string =>
	[`## ${title}`, ...parts.filter((part) => part !== '')].join('\n\n');

/** What is left out where there are more than are shown; empty where all are. */
export const more = (of: number, what: string): string =>
	of > MOST_SHOWN ? `The first ${MOST_SHOWN} of ${count(of)} ${what} are shown.` : '';
