import type { JobResource } from '@steelyard/contracts';
import { plain } from './named-texts.js';
import { table } from './output.js';
import { countText, durationText } from './units.js';

/** Jobs side by side. Every list has a value for each job in their order; null where a job has none. */
export type Comparison = {
	jobs: { id: string; name: string | null; status: string; best_epoch: number | null; parameters: number | null; seconds: number | null }[];
	/** Of the fields of the specs those that differ, by their paths, such as `training.optimizer.learning_rate`. */
	spec: Record<string, unknown[]>;
	/** Metrics by split and name: those of the results, and of a job without one those on validation, so far. */
	metrics: Record<string, Record<string, (number | null)[]>>;
};

/** The fields of a value by their paths; a list is one field. */
function fieldsOf(value: unknown, path = ''): [string, unknown][] {
	if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[path, value]];
	const inner = Object.entries(value);
	return inner.length === 0 && path !== ''
		? [[path, {}]]
		: inner.flatMap(([name, one]) => fieldsOf(one, path === '' ? name : `${path}.${name}`));
}

/** What differs between specs. The names of jobs are not looked at: they stand over the columns. */
function differences(specs: readonly JobResource['spec'][]): Record<string, unknown[]> {
	const all = specs.map(({ name: _name, ...spec }) => new Map(fieldsOf(spec)));
	const paths = [...new Set(all.flatMap((fields) => [...fields.keys()]))];
	const values = paths.map((path): [string, unknown[]] => [path, all.map((fields) => fields.get(path) ?? null)]);
	return Object.fromEntries(values.filter(([, each]) => new Set(each.map((value) => JSON.stringify(value))).size > 1));
}

/** Compares jobs: what differs between their specs, and what they came to. */
export function compare(jobs: readonly JobResource[]): Comparison {
	const splits = jobs.map(({ result, metrics }) => result?.metrics ?? (metrics === null ? {} : { validation: metrics }));
	const names = <T>(of: readonly Readonly<Record<string, T>>[]) => [...new Set(of.flatMap((one) => Object.keys(one)))];
	const metricsOf = (split: string) => {
		const each = splits.map((of) => of[split] ?? {});
		return Object.fromEntries(names(each).map((name) => [name, each.map((metrics) => metrics[name] ?? null)]));
	};
	return {
		jobs: jobs.map(({ id, spec, status, result }) => ({
			...{ id, name: spec.name ?? null, status, best_epoch: result?.best_epoch ?? null },
			...{ parameters: result?.parameters ?? null, seconds: result?.seconds ?? null },
		})),
		spec: differences(jobs.map(({ spec }) => spec)),
		metrics: Object.fromEntries(names(splits).map((split) => [split, metricsOf(split)])),
	};
}

/** Columns of text between two columns of a table, and the fewest that one has. */
const GAP = 2;
const NARROWEST = 8;
/** The most of a line that what the rows are called may take. */
const LABELS = 0.45;

/** A text in so many columns, of which the beginning and the end are left: ids of one day begin alike. */
function cut(text: string, columns: number): string {
	if (text.length <= columns) return text;
	const end = Math.floor((columns - 1) / 2);
	return `${text.slice(0, columns - 1 - end)}…${text.slice(text.length - end)}`;
}

/** A row of what is compared: what it is called, and what it is for each job. */
type Row = readonly [string, ...string[]];

const valueText = (value: unknown): string => (value === null ? '–' : typeof value === 'string' ? plain(value) : JSON.stringify(value));
const shown = <T>(values: readonly (T | null)[], text: (value: T) => string): string[] =>
	values.map((value) => (value === null ? '–' : text(value)));

/** The rows of some of the jobs as a table, whose cells are cut to what there is room for. */
function tableOf(rows: readonly Row[], columns: number): string {
	const count = (rows[0]?.length ?? 1) - 1;
	const labels = Math.min(Math.max(...rows.map(([label]) => label.length)), Math.floor(columns * LABELS));
	const width = Math.max(NARROWEST, Math.floor((columns - labels) / count) - GAP);
	return table(rows.map(([label, ...values]) => [cut(label, labels), ...values.map((value) => cut(value, width))]));
}

/** The name of a column: A, B and so on. */
const letter = (i: number): string => String.fromCharCode(65 + i);

/** The most jobs that are compared: as many as there are letters. */
export const MOST_COMPARED = 26;

/** A comparison to read, in lines of at most `columns` characters where these are 40 or more. Jobs that there is no room for side by side follow in tables below. */
export function comparisonText({ jobs, spec, metrics }: Comparison, columns: number): string {
	const of = <K extends keyof Comparison['jobs'][number]>(key: K) => jobs.map((job) => job[key]);
	const headed = (label: string, rows: readonly Row[]): readonly Row[] =>
		rows.length === 0 ? [] : [[label, ...jobs.map((_, i) => letter(i))], ...rows];
	const about = headed('', [
		['status', ...of('status')],
		['best epoch', ...shown(of('best_epoch'), (epoch) => String(epoch + 1))],
		['parameters', ...shown(of('parameters'), countText)],
		['trained for', ...shown(of('seconds'), durationText)],
	]);
	const fields = headed(
		'spec',
		Object.entries(spec).map(([path, values]): Row => [plain(path), ...values.map(valueText)]),
	);
	const measured = headed(
		'metric',
		Object.entries(metrics).flatMap(([split, by]) =>
			Object.entries(by).map(([name, values]): Row => [`${split} ${name}`, ...shown(values, (value) => value.toFixed(4))]),
		),
	);
	const blank: Row = ['', ...jobs.map(() => '')];
	const rows = [about, fields, measured]
		.filter((section) => section.length > 0)
		.flatMap((section, i) => (i === 0 ? section : [blank, ...section]));

	const legend = table(jobs.map(({ id, name }, i) => [letter(i), id, name ?? '']))
		.split('\n')
		.map((line) => (line.length > columns ? `${line.slice(0, columns - 1)}…` : line));
	const together = Math.max(1, Math.floor((columns * (1 - LABELS)) / (NARROWEST + GAP)));
	const tables: string[] = [];
	for (let from = 0; from < jobs.length; from += together)
		tables.push(
			tableOf(
				rows.map(([label, ...values]): Row => [label, ...values.slice(from, from + together)]),
				columns,
			),
		);
	return [legend.join('\n'), ...(fields.length === 0 ? ['Their specs are equal, but perhaps for names.'] : []), ...tables].join('\n\n');
}
