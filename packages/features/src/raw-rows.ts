import type { StringTensor, Tensor } from '@steelyard/runtime';
import { type Table, TableError } from '@steelyard/table';
import { type FedColumn, feedsOf } from './feeds.js';
import { INPUTS_KEY, type RawInputs } from './raw-model.js';

/** What a model of raw columns says of its inputs; null for another model. */
export function rawInputsOf(metadata: Readonly<Record<string, string>>): RawInputs | null {
	const text = metadata[INPUTS_KEY];
	return text === undefined ? null : (JSON.parse(text) as RawInputs);
}

/** Rows of a table as a model of raw columns takes them. `first` is the number of the first of them. */
export type FedRows = { readonly first: number; readonly count: number; readonly feeds: Record<string, Tensor | StringTensor> };

/** All rows of a table, as a model of raw columns takes them, at most `together` at a time. Throws TableError where a column is not there. */
export async function* rawRows(table: Table, { missing, columns }: RawInputs, { together }: { together: number }): AsyncGenerator<FedRows> {
	const words = new Set(missing);
	const fed = columns.map(({ input, column, kind, size, decimal, day_first: dayFirst }): FedColumn => {
		const place = table.columns.indexOf(column);
		if (place < 0)
			throw new TableError(
				table.file,
				`a column ${JSON.stringify(column)}, which the model takes`,
				`the columns ${table.columns.slice(0, 20).join(', ')}`,
			);
		return { input, place, kind, ...(size === undefined ? {} : { size }), reading: { missing: words, decimal, dayFirst } };
	});
	for await (const { first, rows } of table.rows())
		for (let from = 0; from < rows.length; from += together) {
			const some = rows.slice(from, from + together);
			yield { first: first + from, count: some.length, feeds: feedsOf(some, fed) };
		}
}
