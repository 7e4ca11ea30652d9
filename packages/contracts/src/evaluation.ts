import { type Static, Type } from 'typebox';
import { choice } from './choice.js';
import { HISTOGRAM_BINS } from './histogram.js';
import { nullable } from './nullable.js';

/** Most classes that a confusion matrix has of its own; the others are counted together. */
export const CONFUSION_CLASSES = 30;
/** Most classes or labels that have a curve. */
export const CURVE_CLASSES = 10;
/** Most points of a curve. */
export const CURVE_POINTS = 200;
/** Most rows of a regression whose predictions are listed. */
export const SAMPLED_VALUES = 1000;

const range = {
	from: Type.Number({ description: 'the least of the numbers, where the first interval begins' }),
	to: Type.Number({ description: 'the greatest of them, where the last interval ends' }),
};
const counts = (of: string) =>
	Type.Array(Type.Integer(), {
		description: `${of} in ${HISTOGRAM_BINS} intervals of equal width between \`from\` and \`to\`; a number between two intervals is counted in the higher one, and all are in the first where \`from\` is \`to\``,
	});
const orNone = (description: string) => nullable(Type.Number({ description: `${description}; null where there are none` }));

/** Some numbers: how many lie in each interval of a range, and what they are like. */
export const NumbersInBins = Type.Object({
	count: Type.Integer(),
	counts: counts('how many of them lie'),
	mean: orNone('their mean'),
	p10: orNone('their 10th percentile'),
	p50: orNone('their median'),
	p90: orNone('their 90th percentile'),
});
export type NumbersInBins = Static<typeof NumbersInBins>;

/** Numbers of rows, apart for rows whose prediction is right and for the others. */
export const NumbersByRightness = Type.Object({
	...range,
	right: NumbersInBins,
	wrong: NumbersInBins,
});
export type NumbersByRightness = Static<typeof NumbersByRightness>;

const byModality = (what: string) =>
	Type.Record(Type.String(), NumbersByRightness, {
		description: `by modality, ${what} of the rows that have it, in intervals; not there for a modality that no row of the split has. A prediction is right where its class is, or every one of its labels; of a regression where its absolute error is at most the median of those of the split`,
	});

/** How well the probability of one class, or of one label, tells the rows that have it from the others. */
export const ClassCurve = Type.Object({
	class: Type.Integer({ description: 'index of the class or label' }),
	name: Type.String(),
	positives: Type.Integer({ description: 'rows that have it' }),
	negatives: Type.Integer({ description: 'rows that do not' }),
	auroc: nullable(Type.Number({ description: 'area under the ROC curve' })),
	auprc: nullable(Type.Number({ description: 'average precision' })),
	curve: nullable(
		Type.Object(
			{
				threshold: Type.Array(nullable(Type.Number()), {
					description: 'the point holds where the class is predicted from this probability on; null for the first point, where it never is',
				}),
				false_positive_rate: Type.Array(Type.Number()),
				true_positive_rate: Type.Array(Type.Number(), { description: 'also called recall' }),
				precision: Type.Array(Type.Number(), { description: '1 where the class is never predicted' }),
			},
			{
				description: `the points of both curves, thresholds falling: ROC is the true over the false positive rate, precision-recall is precision over the true positive rate. One point for each probability that occurs, or ${CURVE_POINTS} of them at about equal distances along the ROC curve; rounded to six significant digits`,
			},
		),
	),
	matrix: nullable(
		Type.Array(Type.Array(Type.Integer()), {
			description:
				'of several labels: [[rows without the label that it was not predicted for, without and predicted], [with and not predicted, with and predicted]]; null for classes',
		}),
	),
});
export type ClassCurve = Static<typeof ClassCurve>;

/** Values of a regression as they are and as they are predicted. */
export const ValueFigures = Type.Object({
	sample: Type.Object(
		{
			row: Type.Array(Type.Integer(), { description: 'in the file of the split, counted from 0' }),
			label: Type.Array(Type.Number()),
			prediction: Type.Array(Type.Number()),
			low: Type.Optional(Type.Array(Type.Number(), { description: 'the lowest quantile, of a job on quantiles' })),
			high: Type.Optional(Type.Array(Type.Number(), { description: 'the highest quantile, of a job on quantiles' })),
		},
		{ description: `every row, or ${SAMPLED_VALUES} at equal distances in the order of the split; the lists belong together` },
	),
	residuals: Type.Object(
		{ ...range, ...NumbersInBins.properties },
		{ description: 'label − prediction of all rows: positive where the prediction is too low' },
	),
});
export type ValueFigures = Static<typeof ValueFigures>;

/** The figures of one split. */
export const SplitFigures = Type.Object({
	rows: Type.Integer(),
	confusion: nullable(
		Type.Array(Type.Array(Type.Integer()), {
			description:
				'how many rows of each class, in the order of `classes`, were predicted as each class; where classes are left out, the last row and the last column count these. Null for regression and several labels',
		}),
	),
	curves: Type.Array(ClassCurve, {
		description: `of class 1 where there are two; else of each class against the rest or of each label, at most ${CURVE_CLASSES}: the first labels, or the classes with most rows. None for regression`,
	}),
	values: nullable(Type.Unsafe<ValueFigures>({ ...ValueFigures, description: 'null for classes and labels' })),
	weights: byModality('the weights'),
	divergence: nullable(
		Type.Unsafe<Record<string, NumbersByRightness>>({
			...byModality('KL(unimodal ‖ fused) in nats'),
			description: 'the same of KL(unimodal ‖ fused) in nats; null where the weighting has none',
		}),
	),
});
export type SplitFigures = Static<typeof SplitFigures>;

/** The artifact `evaluation.json` of a job whose rows have one label or several: what pictures of its predictions are drawn from. */
export const EvaluationFigures = Type.Object({
	object: choice(['evaluation']),
	classes: Type.Array(Type.Object({ class: Type.Integer({ description: 'index of the class' }), name: Type.String() }), {
		description: `the rows and columns of \`confusion\`, by index: all classes, or the ${CONFUSION_CLASSES} that have most rows in all splits together; empty for regression and several labels`,
	}),
	others: Type.Integer({ description: 'how many classes are left out of `classes`' }),
	splits: Type.Record(Type.String(), SplitFigures, { description: 'by the name of the split in `result.metrics`' }),
});
export type EvaluationFigures = Static<typeof EvaluationFigures>;
