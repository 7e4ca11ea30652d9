import type { ColumnKind, ColumnProfile, ColumnRole, TableManifest } from '@steelyard/contracts';

type Columns = readonly ColumnProfile[];
type Modalities = Record<string, string[]>;

const DEFAULT_MODALITIES: Readonly<Partial<Record<ColumnKind, string>>> = { number: 'numbers', category: 'categories', date: 'dates' };

/** A manifest with another value of a field such as `texts.as`. Undefined takes the field away, and what holds nothing else. */
export function withField(manifest: TableManifest, path: string, value: unknown): TableManifest {
	const set = (object: Record<string, unknown>, [name = '', ...rest]: string[]): Record<string, unknown> => {
		const before = object[name];
		const inner = typeof before === 'object' && before !== null && !Array.isArray(before) ? (before as Record<string, unknown>) : {};
		const next = rest.length === 0 ? value : set(inner, rest);
		const isGone = next === undefined || (rest.length > 0 && Object.keys(next as object).length === 0);
		const { [name]: _, ...others } = object;
		return isGone ? others : { ...object, [name]: next };
	};
	return set(manifest, path.split('.')) as TableManifest;
}

/** The value of a field such as `texts.as`; undefined where it is not there. */
export const fieldOf = (manifest: TableManifest, path: string): unknown =>
	path
		.split('.')
		.reduce<unknown>(
			(part, name) => (typeof part === 'object' && part !== null ? (part as Record<string, unknown>)[name] : undefined),
			manifest,
		);

/** The names of the columns of each modality, as the manifest says them, or else as they were inferred. */
function modalitiesOf({ columns: said }: TableManifest, columns: Columns): Modalities {
	const modalities: Modalities = {};
	if (said === undefined) {
		for (const { name, modality } of columns) if (modality !== undefined) (modalities[modality] ??= []).push(name);
		return modalities;
	}
	for (const [modality, some] of Object.entries(said)) modalities[modality] = Array.isArray(some) ? [...some] : Object.values(some).flat();
	return modalities;
}

/** Modalities without a column, and without those that have no other. */
const without = (modalities: Modalities, column: string): Modalities =>
	Object.fromEntries(
		Object.entries(modalities)
			.map(([modality, names]): [string, string[]] => [modality, names.filter((name) => name !== column)])
			.filter(([, names]) => names.length > 0),
	);

const orNothing = <T extends object>(object: T): T | undefined => (Object.keys(object).length === 0 ? undefined : object);

const withKindOf = (manifest: TableManifest, name: string, kind: ColumnKind | 'ignored' | undefined): TableManifest => {
	const { [name]: _, ...others } = manifest.kinds ?? {};
	return withField(manifest, 'kinds', orNothing(kind === undefined ? others : { ...others, [name]: kind }));
};

/** What the cells of a column that was left out may be, by its examples. */
function likelyKind({ examples }: ColumnProfile): ColumnKind {
	if (examples.length > 0 && examples.every((text) => text.trim() !== '' && Number.isFinite(Number(text)))) return 'number';
	return examples.some((text) => text.trim().includes(' ')) ? 'text' : 'category';
}

/** A manifest in which a column is what is predicted, in place of the label before. */
export function withLabel(manifest: TableManifest, label: string | string[] | undefined): TableManifest {
	let next = withField(withField(manifest, 'task', undefined), 'label', label);
	for (const name of label === undefined ? [] : [label].flat()) {
		for (const field of ['split', 'group', 'time']) if (fieldOf(next, field) === name) next = withField(next, field, undefined);
		next = withKindOf(next, name, undefined);
		if (next.columns !== undefined) next = withField(next, 'columns', orNothing(without(modalitiesOf(next, []), name)));
	}
	return next;
}

/** A manifest in which a column has another role. */
export function withRole(manifest: TableManifest, columns: Columns, name: string, role: ColumnRole): TableManifest {
	if (role === 'label') return withLabel(manifest, name);
	const column = columns.find((one) => one.name === name);
	let next = manifest;
	for (const field of ['split', 'group']) if (fieldOf(next, field) === name) next = withField(next, field, undefined);
	if (role === 'ignored') return withKindOf(next, name, 'ignored');
	if (role === 'split' || role === 'group') {
		next = withKindOf(withField(next, role, name), name, undefined);
		return next.columns === undefined ? next : withField(next, 'columns', orNothing(without(modalitiesOf(next, columns), name)));
	}
	const kind = column?.role === 'ignored' ? likelyKind(column) : undefined;
	next = withKindOf(next, name, kind);
	if (next.columns === undefined) return next;
	const modalities = modalitiesOf(next, columns);
	if (Object.values(modalities).some((names) => names.includes(name))) return next;
	const modality = modalityName(DEFAULT_MODALITIES[kind ?? 'category'] ?? name);
	return withField(next, 'columns', { ...modalities, [modality]: [...(modalities[modality] ?? []), name] });
}

/** A manifest in which the cells of a column are of a kind. */
export const withKind = (manifest: TableManifest, name: string, kind: ColumnKind): TableManifest => withKindOf(manifest, name, kind);

/** A manifest in which a column is in a modality, and every other column in the one that it was in. */
export function withModality(manifest: TableManifest, columns: Columns, name: string, modality: string): TableManifest {
	const modalities = without(modalitiesOf(manifest, columns), name);
	return withField(manifest, 'columns', { ...modalities, [modality]: [...(modalities[modality] ?? []), name] });
}

/** A name for a modality, as the service takes it, from any text. */
export const modalityName = (text: string): string =>
	text
		.replace(/[^A-Za-z0-9_-]+/g, '_')
		.replace(/^[^A-Za-z]+/, '')
		.slice(0, 63) || 'more';

/** What the manifest now says of a column that was looked at before; what it does not say is as it was found. */
export function saidOf(
	manifest: TableManifest,
	column: ColumnProfile,
): { role: ColumnRole; kind: ColumnKind | undefined; modality: string | undefined } {
	const { name } = column;
	const said = manifest.kinds?.[name];
	const kind = said === undefined || said === 'ignored' ? column.kind : said;
	const chosen = manifest.columns === undefined ? undefined : modalitiesOf(manifest, []);
	const modality = Object.entries(chosen ?? {}).find(([, names]) => names.includes(name))?.[0] ?? column.modality;
	const roles: [ColumnRole, boolean][] = [
		['label', [manifest.label ?? []].flat().includes(name)],
		['split', manifest.split === name],
		['group', manifest.group === name],
		['ignored', said === 'ignored'],
		['feature', said !== undefined || column.role === 'split' || column.role === 'group'],
	];
	return { role: roles.find(([, holds]) => holds)?.[0] ?? column.role, kind, modality };
}

/** Whether a manifest says nothing. */
export const isEmptyManifest = (manifest: TableManifest): boolean => Object.keys(manifest).length === 0;
