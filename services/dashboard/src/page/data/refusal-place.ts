/** Where a refusal belongs: a column, a field of the manifest such as `task.type`, or null where it is about the file as a whole. */
export type RefusalPlace = { readonly column: string | null; readonly field: string | null };

const QUOTED = /\bcolumn ("(?:[^"\\]|\\.)*")/i;

/** Finds where a refusal of a table belongs, by its `param` and the column that its message names. `columns`: their names; none where they are not known. */
export function refusalPlace({ param, message }: { param: string | null; message: string }, columns: readonly string[]): RefusalPlace {
	const field = param === null ? null : param.replace(/^manifest\./, '');
	const quoted = QUOTED.exec(message)?.[1];
	if (quoted !== undefined && (field === null || field === 'file' || /^(columns|kinds)\b/.test(field)))
		try {
			const name = JSON.parse(quoted) as string;
			if (columns.length === 0 || columns.includes(name)) return { column: name, field: null };
		} catch {
			// The message was cut within the name.
		}
	return { column: null, field: field === 'file' || field === 'manifest' || field === 'columns' ? null : field };
}

/** The columns that a refusal lists because none of them is the label; none where it lists none. The service lists at most 20. */
export function columnsInRefusal(message: string): string[] {
	const [, listed] = /; the columns are (.+)$/s.exec(message) ?? [];
	return listed === undefined ? [] : listed.replace(/, … \(\d+ columns\)$/, '').split(', ');
}
