import type { StringTensor, Tensor } from '@steelyard/runtime';
import { type Cell, type Table, TableError } from '@steelyard/table';
import { FedListError } from './feed-sequence.js';
import { type FedColumn, feedsOf } from './feeds.js';
import { INPUTS_KEY, type RawInputs } from './raw-model.js';

/** What a model of raw columns says of its inputs; null for another model. */
export function rawInputsOf(metadata: Readonly<Record<string, string>>): RawInputs | null {
	const text = metadata[INPUTS_KEY];
	return text === undefined ? null : (JSON.parse(text) as RawInputs);
}

/** Rows of a table as a model of raw columns takes them. `first` is the number of the first of them. */
export type FedRows = { readonly first: number; readonly count: number; readonly feeds: Record<string, Tensor | StringTensor> };

/** What a model takes of some rows, the first of which has that number. */
function feedsAt(file: string, first: number, rows: readonly (readonly Cell[])[], fed: readonly FedColumn[]): FedRows['feeds'] {
	try {
		return feedsOf(rows, fed);
	} catch (error) {
		if (!(error instanceof FedListError)) throw error;
		throw new TableError(file, error.expected, error.found, { row: first + error.row, column: error.column });
	}
}

/** All rows of a table, as a model of raw columns takes them, at most `together` at a time. Throws TableError where a column is not there, or a list does not fit. */
export async function* rawRows(table: Table, { missing, columns }: RawInputs, { together }: { together: number }): AsyncGenerator<FedRows> {
	const words = new Set(missing);
	const fed = columns.map(({ input, column, kind, size, steps = 0, features = null, mask, decimal, day_first: dayFirst }): FedColumn => {
		const place = table.columns.indexOf(column);
		if (place < 0)
			throw new TableError(
				table.file,
				`a column ${JSON.stringify(column)}, which the model takes`,
				`the columns ${table.columns.slice(0, 20).join(', ')}`,
			);
		return {
			column,
			input,
			place,
			kind,
			...(size === undefined ? {} : { size }),
			...(mask === undefined ? {} : { sequence: { steps, features, mask } }),
			reading: { missing: words, decimal, dayFirst },
		};
	});
	for await (const { first, rows } of table.rows())
		for (let from = 0; from < rows.length; from += together) {
			const some = rows.slice(from, from + together);
			yield { first: first + from, count: some.length, feeds: feedsAt(table.file, first + from, some, fed) };
		}
}
