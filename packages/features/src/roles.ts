import { ProblemError, type TableManifest } from '@steelyard/contracts';
import { fits } from './name-patterns.js';
import { labelText } from './task.js';

/** The columns that say something about rows, by name; null where there is none. */
export type Roles = {
	readonly labels: readonly string[];
	readonly split: string | null;
	readonly group: string | null;
	readonly time: string | null;
};

const LABEL_NAMES = ['label', 'labels', 'target', 'y', 'class', 'outcome'];

/** Names of columns in a message. */
export const listed = (names: readonly string[]): string =>
	`${names.slice(0, 20).join(', ')}${names.length > 20 ? `, … (${names.length} columns)` : ''}`;

/** The columns of labels: the one that the manifest names, those that fit its patterns, or else the one with a usual name. Throws ProblemError. */
function labelColumns(names: readonly string[], { label, label_separator: separator }: TableManifest): readonly string[] {
	const refusal = (expected: string, found: string, param = 'manifest.label'): ProblemError =>
		new ProblemError('invalid_dataset', `label: expected ${expected}, found ${found}`, param);
	if (label === undefined) {
		const usual = LABEL_NAMES.flatMap((own) => names.find((name) => name.toLowerCase() === own) ?? []);
		if (usual[0] !== undefined) return usual.slice(0, 1);
		throw new ProblemError(
			'invalid_dataset',
			`The dataset: expected "label" in the manifest, the name of the column to predict, or a column called ${LABEL_NAMES.join(', ')}; the columns are ${listed(names)}`,
			'label',
		);
	}
	if (typeof label === 'string' && names.includes(label)) return [label];
	const patterns = typeof label === 'string' ? [label] : label;
	const found = patterns.flatMap((pattern) => {
		const fitting = names.includes(pattern) ? [pattern] : names.filter((name) => fits(pattern, name));
		if (fitting.length > 0) return fitting;
		throw refusal('the name of a column', `${JSON.stringify(pattern)}; the columns are ${listed(names)}`);
	});
	const labels = [...new Set(found)];
	if (labels.length === 1)
		throw refusal(
			'two columns or more in a list, or by a pattern',
			`only ${JSON.stringify(labels[0])}, which "label": ${JSON.stringify(labels[0])} predicts alone`,
		);
	if (separator !== undefined) throw refusal('one column beside "label_separator"', `${labels.length} columns`, 'manifest.label_separator');
	return labels;
}

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
	const labels = labelColumns(names, manifest);
	const split = typeof manifest.split === 'string' ? known('split', manifest.split) : null;
	const group = optional('group', manifest.group);
	for (const [field, name] of [
		['split', split],
		['group', group],
	] as const)
		if (name !== null && labels.includes(name))
			throw new ProblemError(
				'invalid_dataset',
				`${field}: expected a column beside those of the labels, found ${JSON.stringify(name)}, which is one: ${labelText(labels)}`,
				`manifest.${field}`,
			);
	return { labels, split, group, time: optional('time', manifest.time) };
}
