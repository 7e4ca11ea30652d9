import type { JobResult, JobTask, JobWarning, Metrics, TaskProfile } from '@steelyard/contracts';
import type { LabelFacts } from './baseline.js';
import { decisionsOf } from './decisions.js';
import { isBetter } from './metrics.js';
import type { Predictions } from './predictions.js';

/** Raw labels, `[N]` or `[N, labels]`, and what the exported model makes of the rows. */
export type LabelledRows = { readonly labels: Float64Array; readonly predictions: Predictions };

/** By how much the loss of rows rises on average where they have a modality of other rows, and the standard error of that. */
export type ModalityGain = { readonly name: string; readonly gain: number; readonly error: number };

/** Values of a modality that a split has and no training row: how many there are, the least of them, and in how many rows. */
export type UnseenValues = {
	readonly modality: string;
	readonly split: string;
	readonly count: number;
	readonly values: readonly number[];
	readonly rows: number;
};

export type WarningsInput = {
	readonly task: JobTask;
	/** Whether training minimised that loss, which a graph of one's own need not do; it did unless given. */
	readonly minimisesLoss?: boolean;
	/** How far each modality counts; empty where every one weighs 1. */
	readonly weights: JobResult['modality_weights'];
	/** What the best epoch is chosen by. */
	readonly metric: string;
	/** The best epoch of the fusion model, counted from 0, its score, and the best epoch before the first refresh. */
	readonly fusion: {
		readonly bestEpoch: number;
		readonly score: number | null;
		readonly passedOver: { readonly epoch: number; readonly score: number } | null;
	};
	readonly facts: LabelFacts;
	readonly train: { readonly metrics: Metrics };
	/** The rows are null where positions have labels, which are too many to hold their predictions. */
	readonly validation: { readonly metrics: Metrics; readonly rows: LabelledRows | null };
	/** The epoch that was exported, counted from 0. */
	readonly epoch: number;
	/** Whether the epoch before the first refresh was exported, because it was better. */
	readonly guarded: boolean;
	/** Of the fusion model, by epoch. */
	readonly validationLosses: ReadonlyArray<number | null>;
	/** On validation. */
	readonly gains: readonly ModalityGain[];
	/** Of the modalities that the model looks up in tables. */
	readonly unseen: readonly UnseenValues[];
	/** Whether the user said that the labels of a regression are values. */
	readonly valuesAreMeant: boolean;
};

/** A mean weight below is as good as none; above this share of all weights the others are. */
const NO_WEIGHT = 0.01;
const ALL_WEIGHT = 0.9;
/** How much of the loss of a model that sees nothing lies between two losses that are far apart. */
const FAR = 0.5;
/** Names that a message lists. */
const SHOWN = 10;

const figure = (value: number): string => value.toPrecision(4);
const listed = (names: readonly string[]): string =>
	names.length <= SHOWN ? names.join(', ') : `${names.slice(0, SHOWN).join(', ')} and ${names.length - SHOWN} more`;
const classNames = ({ classes }: TaskProfile, indices: readonly number[]): string[] => indices.map((c) => classes[c] ?? String(c));

function* weightingHurts({ metric, fusion: { bestEpoch, score, passedOver }, guarded }: WarningsInput): Iterable<JobWarning> {
	if (score === null || passedOver === null) return;
	if (!isBetter(metric, passedOver.score, score)) return;
	yield {
		code: 'weighting_hurts',
		message: `the weighted model has a validation ${metric} of ${figure(score)} (epoch ${bestEpoch + 1}); with every modality at weight 1 it was ${figure(passedOver.score)} (epoch ${passedOver.epoch + 1})`,
		advice: guarded
			? 'The better one is exported: every modality weighs 1 in it. The preset uniform trains it to its end; "guard": false exports the weighted one.'
			: 'Train with {"weighting": {"preset": "uniform"}} and compare.',
		split: 'validation',
		guarded,
	};
}

function* collapsedWeights({ weights }: WarningsInput): Iterable<JobWarning> {
	const all = Object.entries(weights);
	if (all.length < 2) return;
	const collapsed = all.filter(([, { mean }]) => mean < NO_WEIGHT || mean > ALL_WEIGHT * all.length);
	if (collapsed.length === 0) return;
	yield {
		code: 'weights_collapsed',
		message: `of ${all.length} modalities the model hears few: mean weights are ${listed(all.map(([name, { mean }]) => `${name} ${figure(mean)}`))}`,
		advice: 'Train with {"weighting": {"preset": "uniform"}} and compare; where a modality is worthless, leave it out by "modalities".',
		names: collapsed.map(([name]) => name),
	};
}

function* overfitting({ minimisesLoss = true, facts, train, validation, validationLosses, epoch }: WarningsInput): Iterable<JobWarning> {
	if (!minimisesLoss) return;
	const nothing = facts.nothing.loss;
	const [there, here] = [train.metrics['loss'] as number, validation.metrics['loss'] as number];
	const last = validationLosses.at(-1) ?? null;
	const best = validationLosses[epoch] ?? null;
	const far = (low: number, high: number): boolean => high - low > FAR * nothing;
	const found = [
		...(far(there, here) ? [`the loss is ${figure(there)} on the training rows and ${figure(here)} on validation`] : []),
		...(best !== null && last !== null && far(best, last)
			? [`the validation loss rose from ${figure(best)} in epoch ${epoch + 1} to ${figure(last)} in epoch ${validationLosses.length}`]
			: []),
	];
	if (found.length === 0) return;
	yield {
		code: 'overfitting',
		message: `${found.join('; ')}; a model that sees nothing has ${figure(nothing)}`,
		advice:
			'Train on more rows, with a smaller model, or with training.early_stopping, a smaller training.optimizer.learning_rate, weight_decay or model.dropout.',
		split: 'validation',
	};
}

/** Indices of the labels of a multilabel task that are no better told than by their more frequent value. */
function unbeatenLabels({ outputs }: TaskProfile, predicted: Float64Array, labels: Float64Array): number[] {
	const rows = labels.length / outputs;
	return Array.from({ length: outputs }, (_, k) => k).filter((k) => {
		const column = labels.filter((_, at) => at % outputs === k);
		const given = column.reduce((sum, flag) => sum + flag, 0);
		const right = column.filter((flag, i) => flag === predicted[i * outputs + k]).length;
		return right <= Math.max(given, rows - given);
	});
}

function* unbeatenBaseline({ task, facts: { nothing, top }, validation: { metrics, rows } }: WarningsInput): Iterable<JobWarning> {
	const head = { code: 'majority_baseline_not_beaten', split: 'validation' } as const;
	if (task.type === 'regression') {
		if ((metrics['loss'] as number) < nothing.loss) return;
		const message =
			task.quantiles === undefined
				? `the root mean squared error on validation is ${figure(metrics['rmse'] as number)}, and ${figure(nothing.rmse as number)} for the mean of the training labels`
				: `the pinball loss on validation is ${figure(metrics['loss'] as number)}, and ${figure(nothing.loss)} for the quantiles of the training labels`;
		yield {
			...head,
			message,
			advice: 'The model has not learnt: see whether the modalities tell of the label, and how the training loss falls.',
		};
	} else if (task.type === 'multilabel') {
		if (rows === null) return;
		const names = classNames(task, unbeatenLabels(task, decisionsOf(task, rows.predictions).predicted, rows.labels));
		if (names.length === 0) return;
		const message = `${names.length} of ${task.outputs} labels are told no better on validation than by their more frequent value: ${listed(names)}`;
		yield { ...head, message, advice: 'Judge rare labels by auroc and auprc; they need more rows, or a threshold below 0.5.', names };
	} else if (top !== null) {
		const accuracy = metrics['accuracy'] as number;
		if (accuracy > top.share) return;
		const ranked = metrics['auroc'] ?? null;
		const message = `the accuracy on validation is ${figure(accuracy)}, and ${figure(top.share)} of its ${rows === null ? 'positions' : 'rows'} are of the class ${classNames(task, [top.class])[0]}${ranked === null ? '' : ` (auroc ${figure(ranked)})`}`;
		const advice =
			rows === null
				? 'The model tells classes apart no better than without its input: see how the training loss falls, and judge rare classes by macro_f1 or mean_iou.'
				: 'Where auroc is well above 0.5 the model ranks rows: judge and choose it by auroc or auprc (training.early_stopping.metric). Else it has not learnt.';
		yield { ...head, message, advice };
	}
}

function* uselessClasses({ task, validation: { rows } }: WarningsInput): Iterable<JobWarning> {
	if (task.type === 'regression' || rows === null) return;
	const { labels, predictions } = rows;
	const { predicted } = decisionsOf(task, predictions);
	const seen = (numbers: Float64Array): Set<number> =>
		task.type === 'multilabel'
			? new Set([...numbers.keys()].filter((at) => numbers[at] === 1).map((at) => at % task.outputs))
			: new Set(numbers);
	const told = seen(predicted);
	const never = [...seen(labels)].filter((c) => !told.has(c)).toSorted((a, b) => a - b);
	if (never.length === 0) return;
	const names = classNames(task, never);
	yield {
		code: 'useless_class',
		message: `never predicted on validation, though rows there have it: ${listed(names)}`,
		advice: 'It needs more training rows, or joins another class; its probability may still rank rows (auroc, auprc).',
		split: 'validation',
		names,
	};
}

function* uselessModalities({ gains }: WarningsInput): Iterable<JobWarning> {
	const useless = gains.filter(({ gain, error }) => gain <= error);
	if (useless.length === 0) return;
	const found = useless.map(({ name, gain, error }) => `${name} ${gain < 0 ? '' : '+'}${figure(gain)} ± ${figure(error)}`);
	yield {
		code: 'useless_modality',
		message: `the validation loss rises by no more than its standard error where rows have the modality of other rows: ${listed(found)}`,
		advice:
			'Train without it by "modalities" and compare. Of modalities that say the same each may seem useless: leave out one after the other.',
		split: 'validation',
		names: useless.map(({ name }) => name),
	};
}

function* unseenCategories({ unseen }: WarningsInput): Iterable<JobWarning> {
	for (const { modality, split, count, values, rows } of unseen)
		yield {
			code: 'unseen_categories',
			message: `${count} ${count === 1 ? 'value' : 'values'} of ${modality} in the split ${split} (in ${rows} of its rows) ${count === 1 ? 'is' : 'are'} in no training row: ${values.join(', ')}${count > values.length ? ', …' : ''}`,
			advice:
				'The graph looks them up in a table whose rows for them were not trained: put rare values together as one that training has too, or cut the splits anew.',
			split,
			names: [modality],
		};
}

function* classLikeLabels({ facts: { values }, valuesAreMeant }: WarningsInput): Iterable<JobWarning> {
	if (values === null || valuesAreMeant || !values.every(Number.isInteger)) return;
	yield {
		code: 'labels_look_like_classes',
		message: `the labels are floating-point numbers, which makes this a regression, but only the whole numbers ${values.join(', ')} occur`,
		advice:
			'Where they are classes, store them as integers from 0, or say {"task": {"type": "binary"}} or "multiclass" in manifest.json; where they are values, say "regression" there.',
	};
}

const RULES = [
	weightingHurts,
	collapsedWeights,
	overfitting,
	unbeatenBaseline,
	uselessClasses,
	uselessModalities,
	unseenCategories,
	classLikeLabels,
];

/** What a user should know of a trained model before they use it. */
export const warningsOf = (input: WarningsInput): JobWarning[] => RULES.flatMap((rule) => [...rule(input)]);
