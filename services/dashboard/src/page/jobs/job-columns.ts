import type { JobResource } from '@steelyard/contracts';
import { bytes, duration, figure, moment, shortId } from '../format.js';

/** A column of the list of jobs. */
export type Column = {
	readonly id: string;
	readonly title: string;
	/** What it is sorted by; null comes last. */
	readonly value: (job: JobResource) => number | string | null;
	/** What is shown. */
	readonly text: (job: JobResource) => string;
	readonly isNumber: boolean;
};

const text = (id: string, title: string, value: (job: JobResource) => string | null): Column => ({
	...{ id, title, value },
	text: (job) => value(job) ?? '–',
	isNumber: false,
});

const number = (id: string, title: string, value: (job: JobResource) => number | null, shown: (value: number) => string): Column => ({
	...{ id, title, value, isNumber: true },
	text: (job) => {
		const of = value(job);
		return of === null ? '–' : shown(of);
	},
});

/** How long a job ran, or has run. */
const seconds = ({ started_at: from, finished_at: to, result }: JobResource): number | null =>
	result?.seconds ?? (from === null || to === null ? null : to - from);

const FIXED: readonly Column[] = [
	text('status', 'Status', ({ status }) => status),
	text('dataset', 'Dataset', ({ spec }) => spec.dataset),
	text('family', 'Model', ({ spec }) => spec.model.family),
	text('weighting', 'Weighting', ({ spec }) => spec.weighting.preset),
	number('created', 'Posted', ({ created_at: at }) => at, moment),
	number('finished', 'Ended', ({ finished_at: at }) => at, moment),
	number('seconds', 'Took', seconds, duration),
	number('epochs', 'Epochs', ({ result }) => result?.epochs ?? null, String),
	number(
		'parameters',
		'Trained numbers',
		({ result }) => result?.parameters ?? null,
		(value) => value.toLocaleString('en'),
	),
	number(
		'learning_rate',
		'Learning rate',
		({ spec }) => spec.training.optimizer.learning_rate,
		(value) => figure(value),
	),
	number('seed', 'Seed', ({ spec }) => spec.training.seed, String),
	number(
		'bytes',
		'Size',
		({ bytes: size, artifacts }) => size ?? (artifacts.reduce((sum, artifact) => sum + artifact.bytes, 0) || null),
		bytes,
	),
	text('sweep', 'Sweep', ({ sweep }) => (sweep === undefined ? null : `${shortId(sweep.id)}, trial ${sweep.trial}`)),
	text('id', 'Id', ({ id }) => id),
];

/** A metric of a split, such as `test.accuracy`; while a job runs that of validation so far. */
const metric = (name: string): Column => {
	const dot = name.indexOf('.');
	const [split, of] = [name.slice(0, dot), name.slice(dot + 1)];
	return number(
		name,
		`${split} ${of}`,
		({ result, metrics }) =>
			result === null ? (split === 'validation' ? (metrics?.[of] ?? null) : null) : (result.metrics[split]?.[of] ?? null),
		(value) => figure(value),
	);
};

const entry = (name: string): Column => text(`metadata.${name}`, name, ({ spec }) => spec.metadata?.[name] ?? null);

/** All columns that some jobs can be shown by: what every job has, the metrics of their splits, and their metadata. */
export function columnsOf(jobs: readonly JobResource[]): Column[] {
	const metrics = new Set<string>();
	const entries = new Set<string>();
	for (const { result, spec } of jobs) {
		for (const [split, of] of Object.entries(result?.metrics ?? {})) for (const name of Object.keys(of)) metrics.add(`${split}.${name}`);
		for (const name of Object.keys(spec.metadata ?? {})) entries.add(name);
	}
	return [...FIXED, ...[...metrics].sort().map(metric), ...[...entries].sort().map(entry)];
}

/** The columns that are shown until others are chosen: among them the first metric of the test that jobs have. */
export function firstColumns(columns: readonly Column[]): string[] {
	const metrics = ['test.accuracy', 'validation.accuracy', 'test.rmse', 'validation.rmse', 'test.mae', 'validation.loss'];
	const shown = metrics.find((one) => columns.some(({ id }) => id === one));
	return ['status', ...(shown === undefined ? [] : [shown]), 'weighting', 'family', 'created', 'seconds'];
}

/** Compares jobs by a column; those without a value come last in both orders, then the newest come first. */
export function byColumn({ value }: Column, isDescending: boolean): (a: JobResource, b: JobResource) => number {
	return (a, b) => {
		const [first, second] = [value(a), value(b)];
		if (first !== second) {
			if (first === null) return 1;
			if (second === null) return -1;
			const order = first < second ? -1 : 1;
			return isDescending ? -order : order;
		}
		return a.id < b.id ? 1 : -1;
	};
}

/** What a list of jobs is narrowed to. */
export type JobFilter = { readonly text: string; readonly statuses: readonly string[]; readonly dataset: string | null };

/**
 * Whether a job fits. The words of the text must all be there: in its name, its id, that of its sweep, its dataset, its model, its weighting or its metadata; `name=text` is an entry of the
 * metadata.
 */
export function fits(job: JobResource, { text: wanted, statuses, dataset }: JobFilter): boolean {
	const { spec, status, id, sweep } = job;
	if (statuses.length > 0 && !statuses.includes(status)) return false;
	if (dataset !== null && spec.dataset !== dataset) return false;
	const entries = Object.entries(spec.metadata ?? {}).map(([name, value]) => `${name}=${value}`);
	const all = [spec.name ?? '', id, sweep?.id ?? '', spec.dataset, spec.model.family, spec.weighting.preset, ...entries]
		.join('\n')
		.toLowerCase();
	return wanted
		.toLowerCase()
		.split(/\s+/)
		.every((word) => all.includes(word));
}
