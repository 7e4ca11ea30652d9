import type { JobResource, JobResult, JobWarning, Metrics } from '@steelyard/contracts';
import { deviceText } from './device-text.js';
import { metadataRow } from './named-texts.js';
import { table } from './output.js';
import { bytesText, countText, durationText, timeText } from './units.js';

const figure = (value: number | null | undefined): string => (typeof value === 'number' ? value.toFixed(4) : '–');
const weight = (value: number): string => value.toFixed(2);

/** Weights are summed up in float32: a difference below this is none. */
const SAME = 1e-5;
const same = (a: number, b: number): boolean => Math.abs(a - b) <= SAME * Math.max(1, Math.abs(a));

type Weights = JobResult['modality_weights'];

/** What the weights of one modality come to, such as `mean 0.92, 80 % of rows between 0.71 and 1.10`. */
export function weightText({ mean, p10, p90 }: Weights[string]): string {
	if (same(p10, mean) && same(mean, p90)) return `${weight(mean)} in every row`;
	return `mean ${weight(mean)}, 80 % of rows between ${weight(p10)} and ${weight(p90)}`;
}

function weightRows(weights: Weights): string[][] {
	const all = Object.entries(weights);
	const first = all[0]?.[1];
	if (first === undefined) return [];
	if (all.length > 1 && all.every(([, { mean, p10, p90 }]) => [mean, p10, p90].every((value) => same(value, first.mean))))
		return [['weights', `all equal: ${weight(first.mean)} for every modality in every row`]];
	return all.map(([modality, one]) => [`weight ${modality}`, weightText(one)]);
}

/** Metrics as a table with a column per split, with their intervals where there are any. */
function metricsTable(splits: Readonly<Record<string, Metrics>>, intervals: NonNullable<JobResult['intervals']> = {}): string {
	const names = [...new Set(Object.values(splits).flatMap((metrics) => Object.keys(metrics)))];
	return table([
		['metric', ...Object.keys(splits)],
		...names.map((name) => [
			name,
			...Object.entries(splits).map(([split, metrics]) => {
				const bounds = intervals[split]?.[name] ?? null;
				return `${figure(metrics[name])}${bounds === null ? '' : ` (${figure(bounds.low)}–${figure(bounds.high)})`}`;
			}),
		]),
	]);
}

/** How much worse the model is where a modality breaks, as a table with a row per modality. */
function robustnessText({ split, metric, rows, clean, modalities }: NonNullable<JobResult['robustness']>): string {
	const rising = (value: number | null | undefined): string =>
		typeof value === 'number' ? `${value < 0 ? '−' : '+'}${figure(Math.abs(value))}` : '–';
	const shuffledText = (of: (typeof modalities)[string]['shuffled']): string =>
		of === null ? '–' : `${rising(of.mean)} (${rising(of.low)} to ${rising(of.high)})`;
	return [
		`where a modality breaks, the ${metric} of ${figure(clean)} on ${countText(rows)} rows of ${split} gets worse by`,
		table([
			['modality', 'missing', 'of other rows (95 %)', 'little noise', 'noise', 'much noise'],
			...Object.entries(modalities).map(([name, { missing, shuffled, noisy }]) => [
				name,
				rising(missing),
				shuffledText(shuffled),
				...[0, 1, 2].map((i) => rising(noisy[i])),
			]),
		]),
	].join('\n');
}

/** What the candidates of a job that chose its weighting did on validation. */
function choiceText({ chosen, reason, metric, candidates }: NonNullable<JobResult['weighting_choice']>): string {
	const modalities = Object.keys(candidates[0]?.shuffled ?? {});
	const valueOf = (value: number | null | undefined): string => (typeof value === 'number' ? figure(value) : '–');
	return [
		`weighting chosen by ${metric} on validation: ${chosen}. ${reason}`,
		table([
			['weighting', 'as it is', 'standard error', ...modalities.map((name) => `${name} shuffled`), 'mean of these'],
			...candidates.map(({ preset, clean, standard_error: error, shuffled, shuffled_mean: mean }) => [
				preset,
				...[clean, error, ...modalities.map((name) => shuffled[name]), mean].map(valueOf),
			]),
		]),
	].join('\n');
}

function epochText({ spec, epoch, result }: JobResource): string | null {
	if (result !== null) return `best epoch ${result.best_epoch + 1} of ${result.epochs} trained, at most ${spec.training.epochs}`;
	return epoch === null ? null : `${epoch + 1} of at most ${spec.training.epochs}`;
}

/** A lower precision of training, and how many steps of float16 changed nothing. */
function precisionText({ spec: { training }, result }: JobResource): string | null {
	const { precision = 'float32' } = training;
	if (precision === 'float32') return null;
	const skipped = result?.skipped_steps;
	return skipped === undefined ? precision : `${precision}, ${countText(skipped)} steps skipped`;
}

/** What a job begins with that another one has kept; once it has succeeded, how much of it. */
function beginningText({ spec: { training }, result }: JobResource): string | null {
	const { initialise_from: from } = training;
	if (from === undefined) return null;
	const { job, parameters = 'best', optimizer = false } = typeof from === 'string' ? { job: from } : from;
	const taken = result?.initialised;
	const counts =
		taken === undefined
			? ''
			: `: ${taken.taken} taken, ${taken.anew} anew${taken.anew === 0 ? '' : ` (${taken.anew_names.slice(0, 3).join(', ')}${taken.anew > 3 ? ', …' : ''})`}`;
	return `${parameters} parameters of ${job}${optimizer ? ' and its optimizer' : ''}${counts}`;
}

/** How far probabilities are borne out, on the test split or the last one, such as `expected error 0.0118 on test (0.0218 before the temperature 1.57)`. */
function calibrationText(result: JobResult | null): string | null {
	if (result?.calibration === undefined) return null;
	const { temperature, ece, ece_before: before } = result.calibration;
	const split = 'test' in ece ? 'test' : (Object.keys(ece).at(-1) ?? '');
	const was = temperature === null ? '' : ` (${figure(before?.[split])} before the temperature ${weight(temperature)})`;
	return `expected error ${figure(ece[split])} on ${split}${was}`;
}

function progressText({ progress, eta_seconds, finished_at }: JobResource): string {
	const left = eta_seconds === null || finished_at !== null ? '' : `, about ${durationText(eta_seconds)} left`;
	return `${Math.floor(progress * 100)} %${left}`;
}

function statusText({ status, stage, attempt, cancel_requested, pause_requested, waiting, finished_at }: JobResource): string {
	return [
		status,
		...(stage === null ? [] : [stage]),
		...(attempt > 1 ? [`attempt ${attempt}`] : []),
		...(cancel_requested && finished_at === null ? ['asked to cancel'] : []),
		...(pause_requested && !cancel_requested ? ['asked to pause'] : []),
		...(waiting ? [`waits: ${waiting.message} (${waiting.code})`] : []),
	].join(', ');
}

/** A warning in two lines: what was found, and what to do about it. */
const warningText = ({ code, message, advice }: JobWarning): string => `warning: ${message} (${code})\n  ${advice}`;

/** Everything that the record of a job says, to read. Epochs are counted from 1. */
export function jobText(job: JobResource): string {
	const { spec, result, error } = job;
	const rows: Array<[string, string | null]> = [
		['id', job.id],
		['name', spec.name ?? null],
		...metadataRow(spec.metadata),
		['status', statusText(job)],
		['error', error === null ? null : `${error.message} (${error.code}${error.param === null ? '' : `, at ${error.param}`})`],
		['progress', progressText(job)],
		['epochs', epochText(job)],
		['dataset', spec.dataset],
		['model', `${spec.model.family}${result === null ? '' : `, ${countText(result.parameters)} parameters`}`],
		['weighting', spec.weighting.preset],
		['precision', precisionText(job)],
		['begins with', beginningText(job)],
		['priority', spec.priority ? String(spec.priority) : null],
		['device', job.device === null ? null : deviceText(job.device)],
		['created', timeText(job.created_at)],
		['started', job.started_at === null ? null : timeText(job.started_at)],
		['finished', job.finished_at === null ? null : timeText(job.finished_at)],
		['calibration', calibrationText(result)],
		['trained for', result === null ? null : durationText(result.seconds)],
	];
	if (result !== null) rows.push(...(weightRows(result.modality_weights) as Array<[string, string]>));
	else
		for (const [modality, mean] of Object.entries(job.modality_weights ?? {}))
			rows.push([`weight ${modality}`, `mean ${weight(mean)} so far`]);
	const known = rows.filter((row): row is [string, string] => row[1] !== null);
	const metrics = result?.metrics ?? (job.metrics === null ? {} : { validation: job.metrics });
	return [
		table(known),
		...(Object.keys(metrics).length === 0 ? [] : [metricsTable(metrics, result?.intervals)]),
		...(result?.weighting_choice === undefined ? [] : [choiceText(result.weighting_choice)]),
		...(result?.robustness === undefined ? [] : [robustnessText(result.robustness)]),
		...(result?.warnings ?? []).map(warningText),
		...(job.artifacts.length === 0
			? []
			: [table([['artifact', 'size'], ...job.artifacts.map(({ name, bytes }) => [name, bytesText(bytes)])])]),
	].join('\n\n');
}

/** A metric of the result of a job by its split and its name, such as `test.accuracy`, as lists have it: `accuracy 0.9638 test`. */
export function metricText({ result }: JobResource, path: string): string {
	const [split = '', ...name] = path.split('.');
	const value = result?.metrics[split]?.[name.join('.')];
	return typeof value === 'number' ? `${name.join('.')} ${figure(value)} ${split}` : '–';
}

/** Metrics that sum up a model, in the order in which they are looked for. */
const MAIN_METRICS = ['accuracy', 'mae', 'loss'];

/**
 * The metric that tells jobs apart in a list, such as `accuracy 0.9638 test`: the one that early stopping looks at unless that is the loss, else the
 * accuracy, or the mean absolute error of a regression. It is that of the test split where there is one, else of validation.
 */
export function mainMetric({ spec, result, metrics }: JobResource): string {
	const splits = result?.metrics ?? { validation: metrics ?? {} };
	const [split, measured] = Object.entries(splits).find(([name]) => name === 'test') ?? Object.entries(splits).at(-1) ?? ['', {}];
	const stopping = spec.training.early_stopping?.metric ?? 'loss';
	const name = [...(stopping === 'loss' ? [] : [stopping]), ...MAIN_METRICS].find((one) => typeof measured[one] === 'number');
	return name === undefined ? '–' : `${name} ${figure(measured[name])} ${split}`;
}
