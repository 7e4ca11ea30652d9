import Papa from 'papaparse';
import type { Cell, Rows, Table } from './cell.js';
import { columnNames } from './column-names.js';
import type { TableLimits } from './limits.js';
import { TableError } from './table-error.js';

/** The characters that may stand between cells, where nobody says which does; among equals the first. */
const DELIMITERS = [',', ';', '\t', '|'] as const;
/** Characters from which the delimiter is guessed, and the most rows. */
const HEAD = 256 * 1024;
const HEAD_ROWS = 200;

/** A file of text that can be read any number of times. */
export type TextFile = { readonly file: string; text(): AsyncGenerator<string> };

type Parsed = { data: string[][]; errors: { type: string; code: string; row?: number }[]; meta: { cursor: number } };

const parse = (text: string, delimiter: string, isLast: boolean): Parsed =>
	new Papa.Parser({ delimiter, newline: '\n', quoteChar: '"' }).parse(text, 0, !isLast) as Parsed;

const isBlank = (row: readonly string[]): boolean => row.length === 1 && (row[0] as string).trim() === '';

/** The delimiter that cuts the rows into as many cells as the header has, where this has the most; a comma where nothing cuts it. */
function delimiterOf(head: string, isWhole: boolean): string {
	let best: { delimiter: string; alike: number; cells: number } = { delimiter: ',', alike: 0, cells: 1 };
	for (const delimiter of DELIMITERS) {
		const rows = parse(head, delimiter, isWhole)
			.data.filter((row) => !isBlank(row))
			.slice(0, HEAD_ROWS);
		const cells = rows[0]?.length ?? 0;
		if (cells < 2) continue;
		const alike = rows.filter(({ length }) => length === cells).length / rows.length;
		if (alike > best.alike + 0.05 || (alike >= best.alike - 0.05 && cells > best.cells)) best = { delimiter, alike, cells };
	}
	return best.delimiter;
}

/** The rows of a text file, without its header, as they stand. */
async function* readRows(
	{ file, text }: TextFile,
	delimiter: string,
	limits: TableLimits,
): AsyncGenerator<{ first: number; rows: string[][] }> {
	let rest = '';
	let first = -1;
	function* cut(isLast: boolean): Generator<{ first: number; rows: string[][] }> {
		const { data, errors, meta } = parse(rest, delimiter, isLast);
		const broken = errors.find(({ type }) => type === 'Quotes');
		if (broken !== undefined)
			throw new TableError(
				file,
				'a quoted cell that ends in a quote before the next delimiter; a quote inside of it is doubled',
				broken.code === 'MissingQuotes' ? 'no end of the quotes' : 'more text behind the closing quote',
				{ row: first + (broken.row ?? 0) },
			);
		rest = isLast ? '' : rest.slice(meta.cursor);
		if (rest.length > limits.row)
			throw new TableError(file, `rows of at most ${limits.row} characters`, 'a longer one, or a quote that is never closed', {
				row: first + data.length,
			});
		const rows = data.filter((row) => !isBlank(row));
		if (rows.length > 0) yield { first, rows };
		first += rows.length;
	}
	for await (const piece of text()) {
		rest += piece;
		yield* cut(false);
	}
	yield* cut(true);
}

/** Opens a text file whose first row names the columns. `delimiter` is guessed unless given. Throws TableError for a file without a header. */
export async function openCsv(
	source: TextFile,
	{ delimiter: given, limits }: { delimiter?: string | undefined; limits: TableLimits },
): Promise<Table> {
	const { file } = source;
	let head = '';
	let isWhole = true;
	for await (const piece of source.text()) {
		head += piece;
		if (head.length < HEAD) continue;
		isWhole = false;
		break;
	}
	const delimiter = given ?? delimiterOf(head, isWhole);
	const header = parse(head, delimiter, isWhole).data.find((row) => !isBlank(row));
	if (header === undefined) throw new TableError(file, 'a first row that names the columns', 'none');
	const { names, renamed } = columnNames(file, header, limits);
	async function* rows(): AsyncGenerator<Rows> {
		for await (const { first, rows: found } of readRows(source, delimiter, limits)) {
			// The header is the first row that is read.
			const [from, data] = first < 0 ? [0, found.slice(1)] : [first, found];
			data.forEach((row, i) => {
				if (row.length === names.length) return;
				// Empty cells behind the last column, or none for the last ones, mean nothing.
				if (row.length > names.length && row.slice(names.length).some((cell) => cell !== ''))
					throw new TableError(file, `${names.length} cells, as many as the header names`, `${row.length}`, { row: from + i });
				if (row.length < names.length)
					throw new TableError(file, `${names.length} cells, as many as the header names`, `${row.length}`, { row: from + i });
				row.length = names.length;
			});
			if (data.length > 0) yield { first: from, rows: data as readonly (readonly Cell[])[] };
		}
	}
	return { file, columns: names, renamed, delimiter, rows };
}
