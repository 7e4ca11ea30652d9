import type { Rows, Table } from './cell.js';
import { columnNames } from './column-names.js';
import type { TextFile } from './csv.js';
import type { TableLimits } from './limits.js';
import { cellsOf } from './objects.js';
import { TableError } from './table-error.js';

/** The rows whose names of fields are the columns: later ones may leave fields out, and add none. */
const HEAD_ROWS = 1000;

async function* linesOf({ file, text }: TextFile, limits: TableLimits): AsyncGenerator<string[]> {
	let rest = '';
	for await (const piece of text()) {
		const lines = (rest + piece).split('\n');
		rest = lines.pop() as string;
		if (rest.length > limits.row) throw new TableError(file, `lines of at most ${limits.row} characters`, 'a longer one');
		yield lines.filter((line) => line.trim() !== '');
	}
	if (rest.trim() !== '') yield [rest];
}

function objectOf(file: string, line: string, row: number): Record<string, unknown> {
	let value: unknown;
	try {
		value = JSON.parse(line);
	} catch (error) {
		throw new TableError(file, 'a JSON object in every line', (error as SyntaxError).message, { row });
	}
	if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
	throw new TableError(file, 'a JSON object in every line', value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value, {
		row,
	});
}

/** Opens a file with a JSON object in every line, whose fields are the columns. Throws TableError for a file without any. */
export async function openJsonLines(source: TextFile, limits: TableLimits): Promise<Table> {
	const { file } = source;
	const found = new Set<string>();
	let row = 0;
	for await (const lines of linesOf(source, limits)) {
		for (const line of lines.slice(0, HEAD_ROWS - row)) for (const name of Object.keys(objectOf(file, line, row++))) found.add(name);
		if (row === HEAD_ROWS) break;
	}
	if (found.size === 0) throw new TableError(file, 'a JSON object in every line', 'no fields');
	const fields = [...found];
	const { names, renamed } = columnNames(file, fields, limits);
	async function* rows(): AsyncGenerator<Rows> {
		let first = 0;
		for await (const lines of linesOf(source, limits)) {
			const read = lines.map((line, i) => {
				const object = objectOf(file, line, first + i);
				for (const name of Object.keys(object))
					if (!found.has(name))
						throw new TableError(file, `a field that one of the first ${HEAD_ROWS} rows has`, JSON.stringify(name.slice(0, 200)), {
							row: first + i,
						});
				return cellsOf(object, fields, file, first + i);
			});
			if (read.length > 0) yield { first, rows: read };
			first += read.length;
		}
	}
	return { file, columns: names, renamed, delimiter: null, rows };
}
