import type { DatasetProfile, JobResult, JobSpec, JobTask, Robustness, TaskProfile } from '@steelyard/contracts';
import { METRICS, nameOf } from './card-metrics.js';
import { breaking } from './card-robustness.js';
import { count, figure, listed, MOST_SHOWN, markdownTable, more, percent, plain, section, withBounds } from './card-text.js';
import { nominalCoverage } from './quantile-figures.js';

/** Rows that the job used. */
export type CardSplit = {
	readonly name: string;
	readonly rows: number;
	/** Raw, `[N]` or `[N, labels]`; null where positions have labels. */
	readonly labels: Float64Array | null;
};

/** A file that the job ended with, whose bytes are the same for equal jobs. */
export type CardFile = { readonly name: string; readonly bytes: number; readonly sha256: string };

export type CardInput = {
	readonly version: string;
	readonly dataset: DatasetProfile;
	/** Whether the dataset says which rows belong together, such as those of one patient. */
	readonly grouped: boolean;
	readonly spec: JobSpec;
	readonly task: JobTask;
	/** Training, validation, and what else was judged. */
	readonly splits: readonly CardSplit[];
	/** In the order of the model. */
	readonly modalities: readonly string[];
	readonly result: Omit<JobResult, 'seconds'>;
	/** Null where the spec does not want it. */
	readonly robustness: Robustness | null;
	/** The metric that sums up the model. */
	readonly metric: string;
	/** The split whose figures count: test, else validation. */
	readonly reported: string;
	readonly files: readonly CardFile[];
};

const className = ({ classes }: TaskProfile, index: number): string => plain(classes[index] ?? String(index), 40);

/** What the model says of a row. */
function predicts(task: TaskProfile): string {
	const { type, classes, outputs } = task;
	const of = task.positions === undefined ? '' : ' for every position of a row';
	const names = listed(classes.map((name) => `"${plain(name, 40)}"`));
	if (type === 'regression') return `predicts a number${of}`;
	if (type === 'multilabel') return `says which of ${count(outputs)} labels a row has (${names})`;
	return `predicts one of ${count(type === 'binary' ? 2 : outputs)} classes${of}${names === '' ? '' : ` (${names})`}`;
}

/** How often a model would be right that gives every row the most frequent class of training, or how far one is off that gives its mean; null for other tasks. */
function withoutModel({ task, splits, reported }: CardInput): string | null {
	const [training, judged] = ['train', reported].map((name) => splits.find((split) => split.name === name)?.labels ?? null);
	if (!training || !judged || task.type === 'multilabel') return null;
	if (task.type === 'regression') {
		const mean = training.reduce((sum, label) => sum + label, 0) / training.length;
		const error = judged.reduce((sum, label) => sum + Math.abs(label - mean), 0) / judged.length;
		return `A model that always answers the mean of the training labels (${figure(mean)}) has a mean absolute error of ${figure(error)} there.`;
	}
	const counts = new Map<number, number>();
	for (const label of training) counts.set(label, (counts.get(label) ?? 0) + 1);
	const [top] = [...counts].toSorted((a, b) => b[1] - a[1] || a[0] - b[0])[0] as [number, number];
	const right = judged.filter((label) => label === top).length / judged.length;
	return `Always answering "${className(task, top)}" has an accuracy of ${figure(right)} there.`;
}

function summary(input: CardInput): string {
	const { task, modalities, result, metric, reported, splits } = input;
	const judged = splits.find(({ name }) => name === reported) as CardSplit;
	const value = withBounds(result.metrics[reported]?.[metric], result.intervals?.[reported]?.[metric]);
	const seen = reported === 'test' ? 'which training never saw' : 'by which the best epoch was chosen, so that the figure is too good';
	return [
		`This model ${predicts(task)} from ${count(modalities.length)} ${modalities.length === 1 ? 'modality' : 'modalities'}: ${listed(modalities)}.`,
		`On ${count(judged.rows)} rows of ${reported}, ${seen}, its ${nameOf(metric)} is ${value}.`,
		withoutModel(input) ?? '',
	]
		.join(' ')
		.trim();
}

/** Classes whose rows are counted, the most frequent ones. */
const MOST_CLASSES = 6;

/** Rows and labels of each split. */
function labelTable({ task, splits }: CardInput): string {
	if (splits.some(({ labels }) => labels === null))
		return markdownTable([['split', 'rows'], ...splits.map(({ name, rows }) => [name, count(rows)])]);
	if (task.type === 'regression')
		return markdownTable([
			['split', 'rows', 'mean label', 'least', 'largest'],
			...splits.map(({ name, rows, labels }) => {
				const all = labels as Float64Array;
				const mean = all.reduce((sum, label) => sum + label, 0) / all.length;
				return [
					name,
					count(rows),
					figure(mean),
					figure(all.reduce((a, b) => Math.min(a, b))),
					figure(all.reduce((a, b) => Math.max(a, b))),
				];
			}),
		]);
	const classes = task.type === 'binary' ? 2 : task.outputs;
	const countsOf = (labels: Float64Array): Float64Array => {
		const counts = new Float64Array(classes);
		for (const [at, label] of labels.entries()) {
			const c = task.type === 'multilabel' ? at % classes : label;
			counts[c] = (counts[c] as number) + (task.type === 'multilabel' ? label : 1);
		}
		return counts;
	};
	const counted = splits.map(({ name, rows, labels }) => ({ name, rows, counts: countsOf(labels as Float64Array) }));
	const ofTraining = (c: number): number => counted[0]?.counts[c] as number;
	const shown = Array.from({ length: classes }, (_, c) => c)
		.toSorted((a, b) => ofTraining(b) - ofTraining(a) || a - b)
		.slice(0, MOST_CLASSES)
		.toSorted((a, b) => a - b);
	return markdownTable([
		['split', 'rows', ...shown.map((c) => className(task, c))],
		...counted.map(({ name, rows, counts }) => [
			name,
			count(rows),
			...shown.map((c) => `${count(counts[c] as number)} (${percent((counts[c] as number) / rows)})`),
		]),
	]);
}

function modalityTable({ dataset, modalities }: CardInput): string {
	return markdownTable([
		['modality', 'numbers of a row', 'missing in', 'what it is'],
		...modalities.slice(0, MOST_SHOWN).map((name) => {
			const profile = dataset.modalities[name];
			if (profile === undefined) return [name];
			const missing = profile.masked ? percent(profile.missing) : 'no row';
			return [name, profile.shape.join(' × '), missing, plain(profile.description ?? '', 60)];
		}),
	]);
}

function data(input: CardInput): string {
	const { dataset, modalities, task } = input;
	const title = dataset.title === null ? '' : `: ${plain(dataset.title, 200)}`;
	return section(
		'Data',
		`The dataset "${plain(dataset.name)}"${title}. The SHA-256 of its arrays is ${dataset.sha256}.`,
		labelTable(input),
		task.type !== 'regression' && task.outputs > MOST_CLASSES
			? `The ${MOST_CLASSES} most frequent of ${count(task.outputs)} ${task.type === 'multilabel' ? 'labels' : 'classes'} are shown.`
			: '',
		modalityTable(input),
		more(modalities.length, 'modalities'),
	);
}

/** The precision of training where it was a lower one, and how many steps of float16 changed nothing. */
function precisionRow({ spec: { training }, result: { skipped_steps: skipped } }: CardInput): string[][] {
	const { precision = 'float32' } = training;
	if (precision === 'float32') return [];
	return [['products of training', `${precision}${skipped === undefined ? '' : `, ${count(skipped)} steps skipped`}`]];
}

/** How the weighting was chosen on validation; nothing where the job named it. */
function weightingChoice({ result: { weighting_choice: choice }, modalities }: CardInput): string[] {
	if (choice === undefined) return [];
	const { metric, candidates, reason, rows, shuffles } = choice;
	const shown = modalities.slice(0, MOST_SHOWN);
	const valueOf = (value: number | null | undefined): string => (value === null || value === undefined ? '–' : figure(value));
	const table = markdownTable([
		['weighting', 'as it is', ...shown.map((name) => `${plain(name)} shuffled`), 'mean of all shuffled'],
		...candidates.map(({ preset, clean, shuffled, shuffled_mean: mean }) => [
			preset === choice.chosen ? `${preset} (chosen)` : preset,
			...[clean, ...shown.map((name) => shuffled[name]), mean].map(valueOf),
		]),
	]);
	const about = `${reason} Each weighting was trained and judged by its ${nameOf(metric)} over the ${count(rows)} rows of validation, as they are and with the values of one modality from other rows (the mean of ${shuffles} orders).`;
	return [about, table];
}

function training(input: CardInput): string {
	const { spec, result, version } = input;
	const { model, weighting, training: of } = spec;
	const { optimizer, early_stopping: stopping } = of;
	const rows = [
		['what', 'choice'],
		['model', `${model.family}, ${count(result.parameters)} trained numbers`],
		['weighting of modalities', `${weighting.preset}${result.weighting_choice === undefined ? '' : ', chosen on validation'}`],
		['minimised', plain(result.loss ?? 'loss', 120)],
		[
			'optimizer',
			`${optimizer.name}, learning rate ${optimizer.learning_rate}, weight decay ${optimizer.weight_decay}, batches of ${of.batch_size} rows`,
		],
		[
			'epochs',
			`${count(result.epochs)} of at most ${count(of.epochs)}; that of number ${result.best_epoch + 1} was kept, by the ${nameOf(stopping?.metric ?? 'loss')} on validation`,
		],
		...precisionRow(input),
		['seed, threads, device', `${of.seed}, ${of.threads}, ${result.device}`],
	];
	return section(
		'Training',
		markdownTable(rows),
		...weightingChoice(input),
		`Made by Steelyard ${version}; \`report.json\` has the whole spec.`,
	);
}

/** Metrics that a reader looks at, in this order. */
const SHOWN_METRICS = [
	'accuracy',
	'subset_accuracy',
	'macro_f1',
	'mean_iou',
	'auroc',
	'auprc',
	'mae',
	'rmse',
	'pearson',
	'coverage',
	'interval_width',
	'loss',
];

/** How many labels should lie in the intervals, and how many do; empty where the model gives none. */
function intervalWords({ task: { quantiles }, result, reported }: CardInput): string {
	const found = result.metrics[reported]?.['coverage'] ?? null;
	if (quantiles === undefined || found === null) return '';
	const bounds = result.intervals?.[reported]?.['coverage'];
	const range = bounds ? ` (${percent(bounds.low)} to ${percent(bounds.high)})` : '';
	return `Beside its answer, the median, the model gives the quantiles ${listed(quantiles.map(String))} of each row. From the lowest to the highest ${percent(nominalCoverage(quantiles))} of the labels should lie (the nominal coverage); over the rows of ${reported} ${percent(found)}${range} do.`;
}

function quality(input: CardInput): string {
	const { result, metric, reported } = input;
	const names = [...new Set([metric, ...SHOWN_METRICS])].filter((name) => Object.values(result.metrics).some((of) => name in of));
	const splits = Object.keys(result.metrics);
	const shown = splits.filter((name) => ['train', 'validation', 'test'].includes(name));
	const further = splits.filter((name) => !shown.includes(name)).slice(0, 2);
	const columns = [...shown, ...further];
	const rows = names.map((name) => [
		nameOf(name),
		...columns.map((split) => withBounds(result.metrics[split]?.[name], result.intervals?.[split]?.[name])),
	]);
	const meanings = names.map((name) => `- ${nameOf(name)}: ${METRICS[name]?.[1] ?? 'a figure of the graph'}`);
	const intervals = Object.values(result.intervals ?? {}).some((of) => Object.keys(of).length > 0)
		? 'In brackets stands the range in which the figure would lie for 95 % of samples of rows like these (bootstrap).'
		: '';
	const error = result.calibration?.ece[reported];
	const calibrated =
		error === undefined
			? ''
			: `How sure the model is differs from how often it is right by ${figure(error)} on average over the rows of ${reported} (expected calibration error; 0 is perfect).`;
	return section(
		'How good it is',
		markdownTable([['figure', ...columns], ...rows]),
		meanings.join('\n'),
		intervals,
		intervalWords(input),
		calibrated,
	);
}

/** Weights are summed up in float32: a difference below this is none. */
const SAME = 1e-5;

function trust({ result, modalities, reported, spec }: CardInput): string {
	const weights = modalities.map((name) => ({ name, ...(result.modality_weights[name] ?? { mean: 0, p10: 0, p90: 0 }) }));
	const same = weights.every(
		({ mean, p10, p90 }) => Math.abs(p10 - mean) < SAME && Math.abs(p90 - mean) < SAME && Math.abs(mean - 1) < SAME,
	);
	if (same) {
		const guarded = result.warnings?.some(({ code, guarded: better }) => code === 'weighting_hurts' && better === true) === true;
		const why = guarded
			? `The weighting ${spec.weighting.preset} was worse than none and was left out, so that every modality weighs 1 in every row`
			: `Every modality weighs 1 in every row (weighting ${spec.weighting.preset})`;
		return section(
			'Which modality it trusts',
			`${why}: the model has no opinion about which one to trust in a row. How much it needs each of them stands in the next section.`,
		);
	}
	const table = markdownTable([
		['modality', 'mean weight', 'a tenth of rows is below', 'a tenth of rows is above'],
		...weights.slice(0, MOST_SHOWN).map(({ name, mean, p10, p90 }) => [name, ...[mean, p10, p90].map((weight) => weight.toFixed(2))]),
	]);
	const [most, least] = [weights.toSorted((a, b) => b.mean - a.mean)[0], weights.toSorted((a, b) => a.mean - b.mean)[0]];
	const sentence =
		most === undefined || least === undefined || most === least
			? ''
			: most.mean - least.mean < 0.02
				? `Over the rows of ${reported} it trusts them about equally. A weight of 1 takes a modality as it is, one of 0 does not listen to it.`
				: `Over the rows of ${reported} it trusts ${most.name} most (${most.mean.toFixed(2)} on average) and ${least.name} least (${least.mean.toFixed(2)}). A weight of 1 takes a modality as it is, one of 0 does not listen to it.`;
	return section('Which modality it trusts', table, sentence);
}

/** How the value of a metric changes where it gets worse by `drop`. */
function warnings({ result }: CardInput): string {
	const found = result.warnings ?? [];
	if (found.length === 0) return section('Warnings', 'The job found nothing to warn of.');
	const lines = found.slice(0, MOST_SHOWN).map(({ message, advice }) => `- ${plain(message, 400)}. ${plain(advice, 400)}`);
	return section('Warnings', lines.join('\n'), more(found.length, 'warnings'));
}

function limits({ result, task, grouped, reported, modalities, dataset, robustness, spec, splits }: CardInput): string {
	const judged = splits.find(({ name }) => name === reported) as CardSplit;
	const dropout = spec.training.modality_dropout ?? 0;
	const whole = modalities.filter((name) => dataset.modalities[name]?.masked !== true);
	return section(
		'What it was not tested on',
		[
			`- Data of other places, times, devices or people than those of the dataset: all figures are of ${count(judged.rows)} rows of the same dataset.`,
			...(reported === 'test' ? [] : ['- A test split, which the dataset does not have, or which the model could not be run over.']),
			...(grouped
				? []
				: [
						'- Rows of people, places or devices that training never met: the dataset does not say which rows belong together, so the same ones may be in training and test.',
					]),
			'- Parts of the rows, such as one sex, age or site: no figure is broken down by these.',
			...(task.type === 'regression' || result.calibration !== undefined
				? []
				: ['- Whether probabilities are right as such: how sure the model is was compared with how often it is right by the loss alone.']),
			...(robustness === null ? ['- Modalities that break.'] : modalities.length > 1 ? ['- Several modalities that break at once.'] : []),
			...(dropout === 0 && whole.length > 0 && whole.length === modalities.length
				? ['- Rows that lack a modality: none did in training, so a missing one is only imitated here.']
				: []),
			'- Another training: the intervals say what other rows would give, not what another seed would.',
		].join('\n'),
	);
}

function files({ files: of }: CardInput): string {
	return section(
		'Files',
		markdownTable([['file', 'bytes', 'SHA-256'], ...of.map(({ name, bytes, sha256 }) => [name, count(bytes), sha256])]),
		'Equal jobs give files of equal bytes. The job also has files that say when things happened, which therefore differ; the service lists the SHA-256 of each.',
	);
}

/**
 * `report.md`: what a model is, for people who use it and did not train it: data, training, figures with their intervals, which modality it trusts, what happens when one
 * breaks, warnings, limits, files. After "Model Cards for Model Reporting" (Mitchell et al. 2019). Equal jobs on equal datasets of one name give equal text: it holds no times and no ids.
 */
export const modelCard = (input: CardInput): string =>
	`${[
		`# Model card: ${plain(input.dataset.name)}`,
		summary(input),
		data(input),
		quality(input),
		trust(input),
		breaking(input),
		warnings(input),
		limits(input),
		training(input),
		files(input),
	].join('\n\n')}\n`;
