import { ProblemError } from '@steelyard/contracts';
import type { Cell, Table } from '@steelyard/table';

/** A table of an upload, and the split that its name says; null where it is cut. */
export type TableFile = { readonly table: Table; readonly split: string | null };

/** Names that files and cells give to the standard splits. */
const STANDARD: ReadonlyMap<string, string> = new Map([
	...['train', 'training'].map((name) => [name, 'train'] as const),
	...['valid', 'validation', 'val', 'dev'].map((name) => [name, 'valid'] as const),
	...['test', 'testing'].map((name) => [name, 'test'] as const),
]);

/** The name of a split as it is called here: the three standard ones have several names. */
export const splitNamed = (name: string): string => STANDARD.get(name.trim().toLowerCase()) ?? name.trim();

/** The tables of an upload: one, or several that are called after splits. Throws ProblemError. */
export function filesOf(tables: readonly Table[]): TableFile[] {
	const [only, second] = tables;
	if (only === undefined) throw new ProblemError('invalid_dataset', 'The dataset: expected a table, found none', 'file');
	if (second === undefined) return [{ table: only, split: null }];
	const files = tables.map((table) => {
		const stem = table.file.slice(table.file.lastIndexOf('/') + 1).replace(/\..*$/, '');
		const split = STANDARD.get(stem.toLowerCase());
		if (split === undefined)
			throw new ProblemError(
				'invalid_dataset',
				`${table.file}: expected one table, or tables called train, valid and test, found ${tables
					.map(({ file }) => file)
					.slice(0, 5)
					.join(', ')}`,
				table.file,
			);
		return { table, split };
	});
	const columns = files[0]?.table.columns ?? [];
	for (const [i, { table, split }] of files.entries()) {
		if (files.findIndex((other) => other.split === split) !== i)
			throw new ProblemError('invalid_dataset', `${table.file}: expected one file for split ${split}, found two`, table.file);
		const lacking = columns.find((name) => !table.columns.includes(name));
		const more = table.columns.find((name) => !columns.includes(name));
		if (lacking !== undefined || more !== undefined)
			throw new ProblemError(
				'invalid_dataset',
				`${table.file}: expected the columns of ${files[0]?.table.file}, found ${lacking === undefined ? `one more, ${JSON.stringify(more)}` : `none called ${JSON.stringify(lacking)}`}`,
				table.file,
			);
	}
	if (!files.some(({ split }) => split === 'train'))
		throw new ProblemError('invalid_dataset', 'The dataset: expected a table called train, found none', 'file');
	return files;
}

/** Rows of an upload, which are numbered across its files; cells stand in the order of the first file. */
export type NumberedRows = { readonly first: number; readonly rows: readonly (readonly Cell[])[]; readonly file: TableFile };

/** All rows of all files, in the same order each time. */
export async function* allRows(files: readonly TableFile[]): AsyncGenerator<NumberedRows> {
	const columns = files[0]?.table.columns ?? [];
	let first = 0;
	for (const file of files) {
		const places = columns.map((name) => file.table.columns.indexOf(name));
		const isSame = places.every((place, i) => place === i);
		for await (const { rows } of file.table.rows()) {
			yield { first, rows: isSame ? rows : rows.map((row) => places.map((place) => row[place] as Cell)), file };
			first += rows.length;
		}
	}
}
