/**
 * What a table has in one place: text, a number, a list, or null where there is nothing. Truth values are the texts `true` and `false`, moments are texts in ISO 8601,
 * and whole numbers that no float64 holds are texts. A cell of a csv file is always text, also where it is empty.
 */
export type Cell = string | number | null | readonly Cell[];

/** Some rows of a table, each with a cell for every column. `first` is the number of the first of them, counted from 0. */
export type Rows = { readonly first: number; readonly rows: readonly (readonly Cell[])[] };

/** A table that can be read from its beginning any number of times. */
export type Table = {
	/** The name of its file, for messages. */
	readonly file: string;
	/** Different names of the columns. */
	readonly columns: readonly string[];
	/** Columns that the file gives another name, or none: the name that they have here, by the one in the file (null for none). */
	readonly renamed: ReadonlyMap<string, string | null>;
	/** The character between cells of a text file; null for other formats. */
	readonly delimiter: string | null;
	/** Reads all rows, some at a time. Throws TableError. */
	rows(): AsyncGenerator<Rows>;
};
