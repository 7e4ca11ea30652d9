import { ProblemError, type TableManifest } from '@steelyard/contracts';

/** The columns that say something about rows, by name; null where there is none. */
export type Roles = { readonly label: string; readonly split: string | null; readonly group: string | null; readonly time: string | null };

const LABEL_NAMES = ['label', 'labels', 'target', 'y', 'class', 'outcome'];

/** Names of columns in a message. */
export const listed = (names: readonly string[]): string =>
	`${names.slice(0, 20).join(', ')}${names.length > 20 ? `, … (${names.length} columns)` : ''}`;

/** Finds the columns that the manifest names. The label is by its usual names where the manifest does not say it. Throws ProblemError. */
export function rolesOf(names: readonly string[], manifest: TableManifest): Roles {
	const known = (field: string, name: string): string => {
		if (names.includes(name)) return name;
		throw new ProblemError(
			'invalid_dataset',
			`${field}: expected the name of a column, found ${JSON.stringify(name)}; the columns are ${listed(names)}`,
			`manifest.${field}`,
		);
	};
	for (const name of Object.keys(manifest.kinds ?? {})) known('kinds', name);
	const optional = (field: 'group' | 'time', name: string | undefined) => (name === undefined ? null : known(field, name));
	const usual = LABEL_NAMES.flatMap((label) => names.find((name) => name.toLowerCase() === label) ?? []);
	const label = manifest.label === undefined ? usual[0] : known('label', manifest.label);
	if (label === undefined)
		throw new ProblemError(
			'invalid_dataset',
			`The dataset: expected "label" in the manifest, the name of the column to predict, or a column called ${LABEL_NAMES.join(', ')}; the columns are ${listed(names)}`,
			'label',
		);
	return {
		label,
		split: typeof manifest.split === 'string' ? known('split', manifest.split) : null,
		group: optional('group', manifest.group),
		time: optional('time', manifest.time),
	};
}
