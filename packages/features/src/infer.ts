import { type ColumnKind, type ColumnRole, ProblemError, type TableManifest } from '@steelyard/contracts';
import { type CellReading, missingTexts } from './cells.js';
import { fits } from './name-patterns.js';
import { listed, type Roles } from './roles.js';
import { type ColumnScan, readingOf } from './scan.js';
import type { SequenceForm } from './sequences.js';
import { type Several, severalTask, type Task, taskOf } from './task.js';

/** What a column is for, and how it is read. */
export type Column = {
	readonly name: string;
	/** Its place in a row. */
	readonly place: number;
	readonly role: ColumnRole;
	readonly kind: ColumnKind | null;
	readonly modality: string | null;
	readonly reading: CellReading;
	readonly note: string | null;
	/** What its lists are, where they are sequences; else null. */
	readonly sequence: SequenceForm | null;
};

/** How a table is read. */
export type Reading = {
	readonly columns: readonly Column[];
	/** One column, or those of a multilabel task. */
	readonly labels: readonly Column[];
	readonly task: Task;
	readonly split: Column | null;
	readonly group: Column | null;
	readonly time: Column | null;
	/** The columns of each modality; modalities stand in the order of the manifest, else of the table. */
	readonly modalities: ReadonlyMap<string, readonly Column[]>;
};

const ID_NAME = /^(?:.*[_ -])?(?:id|index|uuid|key|row)$|^unnamed: ?\d+$/i;

/** The share of cells that must be numbers (or dates) where some others, few and alike, stand among them. */
const MOSTLY = 0.95;
/** Words of a cell on average that make a column text, and those that do so where most cells differ. */
const TEXT_WORDS = 5;
const FEW_TEXT_WORDS = 2.5;

const refusal = (detail: string, param: string): ProblemError => new ProblemError('invalid_dataset', detail, param);
type Kind = { kind: ColumnKind | null; note?: string };

/** Whether almost all cells are of a kind, and what stands among them. */
function mostly(scan: ColumnScan, count: number, what: string): Kind['note'] | null {
	if (count === scan.present) return undefined;
	const others = [...scan.odd.keys()];
	if (count / scan.present < MOSTLY || others.length > 5) return null;
	return `${scan.present - count} cells are no ${what} and count as missing: ${others.map((text) => JSON.stringify(text.slice(0, 40))).join(', ')}`;
}

/** The kind of a column by its cells; null for one that says nothing. */
function kindOf(name: string, scan: ColumnScan): Kind {
	const { present, differentValues, differing } = scan;
	if (present === 0) return { kind: null, note: 'it is empty' };
	if (scan.lists !== null) return { kind: scan.lists.features === null && scan.lists.least === scan.lists.most ? 'vector' : 'sequence' };
	if (differentValues === 1) return { kind: null, note: 'all its cells are equal' };
	const numbers = scan.zeroes > 0 && scan.whole === scan.numbers ? null : mostly(scan, scan.numbers, 'numbers');
	if (numbers !== null) {
		const isCount = scan.ascending && scan.missing === 0;
		if (differing === 1 && scan.whole === scan.numbers && present > 2 && (isCount || (ID_NAME.test(name) && scan.missing === 0)))
			return { kind: null, note: isCount ? 'it numbers the rows' : 'it names the rows' };
		return { kind: 'number', ...(numbers === undefined ? {} : { note: numbers }) };
	}
	const dates = mostly(scan, scan.dates, 'dates');
	if (dates !== null) {
		if (scan.dayFirst > 0 && scan.monthFirst > 0)
			return {
				kind: 'date',
				note: `day and month stand in either order: ${scan.dayFirst} cells begin with the day and ${scan.monthFirst} with the month; "day_first" says which is meant, and the others count as missing`,
			};
		return { kind: 'date', ...(dates === undefined ? {} : { note: dates }) };
	}
	const words = scan.words / Math.max(1, scan.worded);
	if (words >= TEXT_WORDS || (words >= FEW_TEXT_WORDS && differing > 0.5)) return { kind: 'text' };
	if (differing > 0.9 && present > 20) return words >= 1.5 ? { kind: 'text' } : { kind: null, note: 'almost every row has another text' };
	return { kind: 'category' };
}

/** What the lists of a sequence are; null for a column of another kind. Refuses lists that are not what their kind takes. */
function formOf(name: string, kind: ColumnKind, { lists, present }: ColumnScan, { sequences }: TableManifest): SequenceForm | null {
	if (kind !== 'sequence' && (kind !== 'vector' || lists === null)) return null;
	const column = `Column ${JSON.stringify(name)}`;
	if (lists === null) throw refusal(`${column}: expected lists of numbers, found none`, 'manifest.kinds');
	if (lists.count < present)
		throw refusal(`${column}: expected lists in all rows that have a value, found ${present - lists.count} other values`, 'columns');
	const fault = kind === 'vector' ? lists.vectorFault : lists.sequenceFault;
	if (fault !== null)
		throw refusal(
			`${column}, row ${fault.row}, ${fault.at}: expected ${fault.expected}, found ${fault.found}; "kinds": {${JSON.stringify(name)}: "ignored"} leaves the column out`,
			'columns',
		);
	if (kind === 'vector') return null;
	const steps = sequences?.steps ?? lists.most;
	if (lists.most > steps)
		throw refusal(
			`${column}, row ${lists.mostRow}: expected at most ${steps} steps, as "sequences" in the manifest says, found ${lists.most}`,
			'manifest.sequences.steps',
		);
	return { steps, features: lists.features };
}

/** Whether the file of a modality, or of its mask, would be one of another's. */
const hasFileOf = (name: string, taken: ReadonlySet<string>): boolean =>
	taken.has(name) || taken.has(`${name}_mask`) || (name.endsWith('_mask') && taken.has(name.slice(0, -'_mask'.length)));

/** A name for a modality that fits the pattern of names. */
function modalityName(column: string, taken: ReadonlySet<string>): string {
	const plain =
		column
			.replace(/[^A-Za-z0-9_-]+/g, '_')
			.replace(/^[^A-Za-z]+/, '')
			.slice(0, 60) || 'text';
	let name = plain;
	for (let i = 2; hasFileOf(name, taken); i++) name = `${plain}_${i}`;
	return name;
}

const KIND_MODALITIES: Readonly<Record<Exclude<ColumnKind, 'text' | 'vector' | 'sequence'>, string>> = {
	number: 'numbers',
	category: 'categories',
	date: 'dates',
};

/** Whether each column of a kind is a modality of its own. */
const isOfItsOwn = (kind: ColumnKind): kind is 'text' | 'vector' | 'sequence' => ['text', 'vector', 'sequence'].includes(kind);

const asList = (some: string | readonly string[]): readonly string[] => (typeof some === 'string' ? [some] : some);

type Choice = { modality: string; kind: ColumnKind | undefined };

/** The modality of each column that the manifest names, and the kind where it says that too. */
function chosenColumns(names: readonly string[], columns: NonNullable<TableManifest['columns']>): Map<string, Choice> {
	const chosen = new Map<string, Choice>();
	for (const [modality, some] of Object.entries(columns)) {
		const byKind: [ColumnKind | undefined, readonly string[]][] = Array.isArray(some)
			? [[undefined, some]]
			: Object.entries(some).map(([kind, patterns]) => [kind as ColumnKind, asList(patterns as string | readonly string[])]);
		for (const [kind, patterns] of byKind)
			for (const pattern of patterns) {
				const found = names.filter((name) => fits(pattern, name));
				if (found.length === 0)
					throw refusal(
						`manifest.json: columns.${modality}: expected columns that fit ${JSON.stringify(pattern)}, found none among ${listed(names)}`,
						`manifest.columns.${modality}`,
					);
				for (const name of found) {
					const before = chosen.get(name);
					if (before !== undefined && before.modality !== modality)
						throw refusal(
							`manifest.json: columns.${modality}: column ${JSON.stringify(name)} is already one of ${before.modality}`,
							`manifest.columns.${modality}`,
						);
					chosen.set(name, { modality, kind: kind ?? before?.kind });
				}
			}
	}
	return chosen;
}

/**
 * How a table is read: what the manifest says, and else what the cells are like. `several`: the labels that rows have several of, null where each has one. Throws
 * ProblemError `invalid_dataset`.
 */
export function infer(
	names: readonly string[],
	scans: readonly ColumnScan[],
	{ labels, split, group, time }: Roles,
	manifest: TableManifest,
	several: Several | null,
): Reading {
	const missing = missingTexts(manifest);
	const scanOf = new Map(names.map((name, place) => [name, scans[place] as ColumnScan]));
	const kinds = manifest.kinds ?? {};
	const chosen = manifest.columns === undefined ? null : chosenColumns(names, manifest.columns);
	const taken = new Set<string>([...Object.values(KIND_MODALITIES), 'labels']);
	const reserved = new Map<string, ColumnRole>([
		...labels.map((name) => [name, 'label'] as const),
		...(split === null ? [] : [[split, 'split'] as const]),
		...(group === null ? [] : [[group, 'group'] as const]),
	]);

	const columnOf = (name: string, place: number): Column => {
		const scan = scanOf.get(name) as ColumnScan;
		const reading = readingOf(scan, { missing, decimal: manifest.decimal, dayFirst: manifest.day_first });
		const column = (
			role: ColumnRole,
			kind: ColumnKind | null,
			modality: string | null,
			note: string | null,
			sequence: SequenceForm | null = null,
		): Column => ({
			name,
			place,
			role,
			kind,
			modality,
			reading,
			note,
			sequence,
		});
		const role = reserved.get(name);
		const choice = chosen?.get(name);
		if (role !== undefined) {
			if (choice !== undefined)
				throw refusal(
					`manifest.json: columns.${choice.modality}: column ${JSON.stringify(name)} is the ${role}`,
					`manifest.columns.${choice.modality}`,
				);
			return column(role, null, null, null);
		}
		if (chosen !== null && choice === undefined) return column('ignored', null, null, 'manifest.json gives it to no modality');
		const stated = Object.hasOwn(kinds, name) ? kinds[name] : choice?.kind;
		if (stated === 'ignored') return column('ignored', null, null, 'as manifest.json says');
		const { kind, note = null } = stated === undefined ? kindOf(name, scan) : { kind: stated };
		if (kind === null) return column('ignored', null, null, note);
		let modality = choice?.modality;
		if (modality === undefined) {
			modality = isOfItsOwn(kind) ? modalityName(name, taken) : KIND_MODALITIES[kind];
			taken.add(modality);
		}
		return column('feature', kind, modality, note, formOf(name, kind, scan, manifest));
	};
	const columns = names.map(columnOf);
	const modalities = new Map<string, Column[]>(Object.keys(manifest.columns ?? {}).map((modality) => [modality, []]));
	for (const column of columns)
		if (column.role === 'feature' && column.modality !== null)
			modalities.set(column.modality, [...(modalities.get(column.modality) ?? []), column]);
	for (const [modality, own] of modalities) {
		if (own.length === 0) modalities.delete(modality);
		const isAlone = ({ kind }: Column): boolean => kind === 'sequence' || (kind === 'text' && manifest.texts?.as === 'tokens');
		const alone = own.find(isAlone);
		if (alone !== undefined && own.length > 1)
			throw refusal(
				`manifest.json: columns.${modality}: expected a column of ${alone.kind === 'text' ? 'tokens' : 'sequences'} alone, found ${JSON.stringify(alone.name)} among ${listed(own.map(({ name }) => name))}`,
				`manifest.columns.${modality}`,
			);
	}
	if (modalities.size === 0)
		throw refusal(
			`The dataset: expected a column to learn from, found none beside the label: ${listed(columns.map(({ name, note }) => `${name}${note === null ? '' : ` (${note})`}`))}`,
			'file',
		);
	const byName = (name: string | null): Column | null => columns.find((column) => column.name === name) ?? null;
	const labelColumns = labels.map((name) => byName(name) as Column);
	const [first] = labelColumns as [Column, ...Column[]];
	const task =
		several === null
			? taskOf(first.name, scans[first.place] as ColumnScan, first.reading, manifest)
			: severalTask(labels, several, manifest);
	return {
		columns: columns.map((column) =>
			column.role === 'label' ? { ...column, kind: task.type === 'regression' ? 'number' : 'category' } : column,
		),
		labels: labelColumns,
		task,
		split: byName(split),
		group: byName(group),
		time: byName(time),
		modalities,
	};
}
