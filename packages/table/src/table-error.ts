/** What is wrong with a table: in which file and row (counted from 0, without the header), what was expected and what was found. */
export class TableError extends Error {
	override readonly name = 'TableError';
	readonly file: string;
	readonly expected: string;
	readonly found: string;
	readonly row: number | null;
	readonly column: string | null;

	constructor(
		file: string,
		expected: string,
		found: string,
		{ row = null, column = null }: { row?: number | null; column?: string | null } = {},
	) {
		const place = [row === null ? [] : [` row ${row}`], column === null ? [] : [` column ${JSON.stringify(column)}`]].flat().join(',');
		super(`${file}${place}: expected ${expected}, found ${found}`);
		this.file = file;
		this.expected = expected;
		this.found = found;
		this.row = row;
		this.column = column;
	}
}
