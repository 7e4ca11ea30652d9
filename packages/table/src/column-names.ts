import type { TableLimits } from './limits.js';
import { TableError } from './table-error.js';

/** The most characters of the name of a column. */
const LONGEST = 200;

/** Names that differ: a column without a name is called after its place, one that repeats a name gets a number. Throws TableError for too many columns. */
export function columnNames(
	file: string,
	found: readonly string[],
	{ columns }: TableLimits,
): { names: string[]; renamed: Map<string, string | null> } {
	if (found.length > columns) throw new TableError(file, `at most ${columns} columns`, `${found.length}`);
	const given = found.map((name) => name.trim().slice(0, LONGEST));
	const taken = new Set(given);
	const used = new Set<string>();
	const renamed = new Map<string, string | null>();
	const names = given.map((name, place) => {
		if (name !== '' && !used.has(name)) {
			used.add(name);
			return name;
		}
		const stem = name === '' ? 'column' : name;
		let number = name === '' ? place : 2;
		while (taken.has(`${stem}_${number}`)) number++;
		const own = `${stem}_${number}`;
		taken.add(own);
		renamed.set(own, name === '' ? null : name);
		return own;
	});
	return { names, renamed };
}
