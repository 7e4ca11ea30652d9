import {
	type ClassCurve,
	CONFUSION_CLASSES,
	CURVE_CLASSES,
	type EvaluationFigures,
	type JobTask,
	type NumbersByRightness,
	rangeOf,
	SAMPLED_VALUES,
	type SplitFigures,
	type ValueFigures,
} from '@steelyard/contracts';
import { columnOf, quantile } from '@steelyard/weighting';
import { classCurve } from './class-curve.js';
import { type Decisions, decisionsOf } from './decisions.js';
import { type ExplainedSplit, isPresent } from './explained-split.js';
import { inBins } from './numbers-in-bins.js';
import type { Predictions } from './predictions.js';

/** A split with predictions. */
export type PredictedSplit = ExplainedSplit & { readonly predictions: Predictions };

type Values = Extract<Predictions, { values: Float32Array }>;
type Classified = Extract<Predictions, { logits: Float32Array }>;

const nameOf = ({ classes }: JobTask, index: number): string => classes[index] ?? String(index);
const firstOf = (count: number, most: number): number[] => Array.from({ length: Math.min(count, most) }, (_, index) => index);

/** The classes of a task by how many rows of all splits have them, the most frequent first, of equal ones the first; null for labels and values. */
function byFrequency({ type, outputs }: JobTask, splits: readonly PredictedSplit[]): number[] | null {
	if (type !== 'binary' && type !== 'multiclass') return null;
	const rows = new Float64Array(type === 'binary' ? 2 : outputs);
	for (const { labels } of splits) for (const label of labels) rows[label] = (rows[label] as number) + 1;
	return [...rows.keys()].toSorted((a, b) => (rows[b] as number) - (rows[a] as number) || a - b);
}

const mostFrequent = (classes: readonly number[], most: number): number[] => classes.slice(0, most).toSorted((a, b) => a - b);

/** How many rows of each shown class were predicted as each; a last row and column for the others, where there are some. */
function confusion(shown: readonly number[], isAll: boolean, labels: Float64Array, predicted: Float64Array): number[][] {
	const size = shown.length + (isAll ? 0 : 1);
	const places = new Map(shown.map((index, place) => [index, place]));
	const placeOf = (index: number): number => places.get(index) ?? shown.length;
	const counts = Array.from({ length: size }, () => new Array<number>(size).fill(0));
	labels.forEach((label, i) => {
		const row = counts[placeOf(label)] as number[];
		const column = placeOf(predicted[i] as number);
		row[column] = (row[column] as number) + 1;
	});
	return counts;
}

/** The curves of the classes of rows that have one label. */
const curvesOfClasses = (task: JobTask, classes: readonly number[], { probabilities }: Classified, labels: Float64Array): ClassCurve[] =>
	classes.map((index) => ({
		...{ class: index, name: nameOf(task, index) },
		...classCurve(columnOf(probabilities, probabilities.length / labels.length, index), (row) => labels[row] === index),
		matrix: null,
	}));

/** The curves of the first labels, and how often each applied and was predicted. */
const curvesOfLabels = (task: JobTask, { probabilities }: Classified, labels: Float64Array, { predicted }: Decisions): ClassCurve[] =>
	firstOf(task.outputs, CURVE_CLASSES).map((index) => {
		const matrix: [[number, number], [number, number]] = [
			[0, 0],
			[0, 0],
		];
		for (let at = index; at < labels.length; at += task.outputs) matrix[labels[at] === 1 ? 1 : 0][predicted[at] === 1 ? 1 : 0]++;
		return {
			...{ class: index, name: nameOf(task, index) },
			...classCurve(columnOf(probabilities, task.outputs, index), (row) => labels[row * task.outputs + index] === 1),
			matrix,
		};
	});

/** Values as they are and as they are predicted. */
function valueFigures({ values, quantiles }: Values, { rows, labels }: PredictedSplit): ValueFigures {
	const count = Math.min(labels.length, SAMPLED_VALUES);
	const places = Array.from({ length: count }, (_, k) => Math.floor((k * labels.length) / count));
	const taken = (from: ArrayLike<number>, width = 1, column = 0): number[] => places.map((i) => from[i * width + column] as number);
	const width = quantiles === undefined ? 0 : quantiles.length / labels.length;
	const residuals = labels.map((label, i) => label - (values[i] as number));
	const range = rangeOf(residuals);
	return {
		sample: {
			row: taken(rows),
			label: taken(labels),
			prediction: taken(values),
			...(quantiles === undefined ? {} : { low: taken(quantiles, width), high: taken(quantiles, width, width - 1) }),
		},
		residuals: { ...range, ...inBins(residuals, range) },
	};
}

/** Whether the prediction of each row is right: its class, or all of its labels; of a regression whether its absolute error is at most the median. */
function rightRows({ type }: JobTask, { predicted, width }: Decisions, labels: Float64Array): (i: number) => boolean {
	if (type === 'regression') {
		const errors = labels.map((label, i) => Math.abs(label - (predicted[i] as number)));
		const median = quantile(errors.toSorted(), 0.5);
		return (i) => (errors[i] as number) <= median;
	}
	return (i) => {
		for (let at = i * width; at < (i + 1) * width; at++) if (predicted[at] !== labels[at]) return false;
		return true;
	};
}

/** Numbers `[N, M]` of the rows that have each modality, by whether the row's prediction is right. */
function byModality(
	numbers: Float32Array,
	modalities: readonly string[],
	{ rows, present }: PredictedSplit,
	isRight: (i: number) => boolean,
): Record<string, NumbersByRightness> {
	const M = modalities.length;
	return Object.fromEntries(
		modalities.flatMap((name, m) => {
			const having = [...rows.keys()].filter((i) => isPresent(present[m], i));
			if (having.length === 0) return [];
			const of = (places: readonly number[]) => Float64Array.from(places, (i) => numbers[i * M + m] as number);
			const range = rangeOf(of(having));
			const [right, wrong] = [having.filter(isRight), having.filter((i) => !isRight(i))];
			return [[name, { ...range, right: inBins(of(right), range), wrong: inBins(of(wrong), range) }]];
		}),
	);
}

/** What pictures of the predictions of some splits, at least one row each, are drawn from. */
export function evaluationFigures(task: JobTask, modalities: readonly string[], splits: readonly PredictedSplit[]): EvaluationFigures {
	const classes = byFrequency(task, splits);
	const shown = classes === null ? [] : mostFrequent(classes, CONFUSION_CLASSES);
	const others = classes === null ? 0 : classes.length - shown.length;
	const curved = classes === null ? [] : task.type === 'binary' ? [1] : mostFrequent(classes, CURVE_CLASSES);
	const figuresOf = (split: PredictedSplit): SplitFigures => {
		const { predictions, labels, weights, divergence } = split;
		const decisions = decisionsOf(task, predictions);
		const isRight = rightRows(task, decisions, labels);
		const curves = (of: Classified) =>
			task.type === 'multilabel' ? curvesOfLabels(task, of, labels, decisions) : curvesOfClasses(task, curved, of, labels);
		return {
			rows: split.rows.length,
			confusion: classes === null ? null : confusion(shown, others === 0, labels, decisions.predicted),
			curves: 'values' in predictions ? [] : curves(predictions),
			values: 'values' in predictions ? valueFigures(predictions, split) : null,
			weights: byModality(weights, modalities, split, isRight),
			divergence: divergence === null ? null : byModality(divergence, modalities, split, isRight),
		};
	};
	return {
		object: 'evaluation',
		classes: shown.map((index) => ({ class: index, name: nameOf(task, index) })),
		others,
		splits: Object.fromEntries(splits.map((split) => [split.name, figuresOf(split)])),
	};
}
