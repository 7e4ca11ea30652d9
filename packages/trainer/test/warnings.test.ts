import { type JobTask, jobTask, type TaskProfile, type WarningCode } from '@steelyard/contracts';
import { describe, expect, it } from 'vitest';
import { labelFacts } from '../src/report/baseline.js';
import { metricsOf } from '../src/report/metrics.js';
import { predictionsFrom } from '../src/report/predictions.js';
import { type LabelledRows, type WarningsInput, warningsOf as warningsOfJob } from '../src/report/warnings.js';

const binary: TaskProfile = { type: 'binary', classes: ['no', 'yes'], outputs: 1 };
const regression: TaskProfile = { type: 'regression', classes: [], outputs: 1 };
const multilabel: TaskProfile = { type: 'multilabel', classes: ['x', 'y'], outputs: 2 };

type LabelledSplit = LabelledRows & Pick<WarningsInput['train'], 'metrics'>;
type Input = Omit<WarningsInput, 'facts' | 'train' | 'validation'> & { train: LabelledSplit; validation: LabelledSplit };
const warningsOf = ({ train, validation, ...more }: Input) =>
	warningsOfJob({
		...more,
		facts: labelFacts(more.task, undefined, train.labels, validation.labels),
		train,
		validation: { metrics: validation.metrics, rows: validation },
	});

/** A split as a model judges it that gives these outputs. */
function split(task: JobTask, labels: number[], outputs: number[]): LabelledSplit {
	const predictions = predictionsFrom(task, Float32Array.from(outputs));
	return { labels: Float64Array.from(labels), predictions, metrics: metricsOf(task, predictions, Float64Array.from(labels)) };
}

const repeated = (numbers: number[], times: number): number[] => Array.from({ length: times }, () => numbers).flat();
/** A model of two classes that is right in three of four rows, alike on both splits. */
const fair = split(binary, repeated([0, 1, 1, 0], 5), repeated([-1, 1, 1, 0.5], 5));
const weight = (mean: number) => ({ mean, p10: mean, p90: mean, mutual_information: null });

const sound: Input = {
	task: binary,
	weights: { a: weight(1.5), b: weight(0.5) },
	metric: 'loss',
	fusion: { bestEpoch: 2, score: 0.4, passedOver: { epoch: 0, score: 0.5 } },
	train: fair,
	validation: fair,
	validationLosses: [0.6, 0.5, 0.4, 0.45],
	gains: [
		{ name: 'a', gain: 0.2, error: 0.05 },
		{ name: 'b', gain: 0.02, error: 0.01 },
	],
	unseen: [],
	epoch: 2,
	guarded: false,
	valuesAreMeant: false,
};
const codes = (more: Partial<Input>): WarningCode[] => warningsOf({ ...sound, ...more }).map(({ code }) => code);

const wholeValues = (values: number[]) => {
	const labels = repeated(values, 6);
	const exact = split(regression, labels, labels);
	return { task: regression, train: exact, validation: exact };
};
/** A regression of the labels 1.5, 2.5 and 3.5 that gives the quantiles 0.1, 0.5 and 0.9 of each. */
const ofQuantiles = (quantilesOf: (label: number) => number[]) => {
	const labels = [1.5, 2.5, 3.5];
	const task = jobTask(regression, [0.1, 0.5, 0.9]);
	const judged = split(task, labels, labels.flatMap(quantilesOf));
	return { task, train: judged, validation: judged };
};
/** A label that every fourth row has, and one of every other. */
const flags = repeated([1, 1, 0, 0, 0, 1, 0, 0], 3);
const labelled = (outputs: number[]) => {
	const both = split(multilabel, flags, repeated(outputs, 3));
	return { task: multilabel, train: both, validation: both };
};

const CASES: ReadonlyArray<[WarningCode, string, Partial<Input>, Partial<Input>]> = [
	[
		'weighting_hurts',
		'an unweighted epoch was better',
		{ fusion: { bestEpoch: 2, score: 0.4, passedOver: { epoch: 0, score: 0.3 } } },
		{ fusion: { bestEpoch: 2, score: 0.4, passedOver: { epoch: 0, score: 0.4 } } },
	],
	[
		'weighting_hurts',
		'an unweighted epoch was better by a metric that rises',
		{ metric: 'auroc', fusion: { bestEpoch: 2, score: 0.7, passedOver: { epoch: 0, score: 0.8 } } },
		{ metric: 'auroc', fusion: { bestEpoch: 2, score: 0.8, passedOver: { epoch: 0, score: 0.7 } } },
	],
	[
		'weights_collapsed',
		'one modality has all the weight',
		{ weights: { a: weight(1.85), b: weight(0.15) } },
		{ weights: { a: weight(1.75), b: weight(0.25) } },
	],
	[
		'weights_collapsed',
		'one of several has none',
		{ weights: { a: weight(1.5), b: weight(1.5), c: weight(0.0002) } },
		{ weights: { a: weight(1) } },
	],
	[
		'overfitting',
		'training is told far better than validation',
		{ train: split(binary, repeated([0, 1, 1, 0], 5), repeated([-6, 6, 6, -6], 5)), validation: fair },
		{ train: split(binary, repeated([0, 1, 1, 0], 5), repeated([-1, 1, 1, -0.5], 5)), validation: fair },
	],
	[
		'overfitting',
		'the validation loss rises to the end',
		{ validationLosses: [0.6, 0.5, 0.4, 0.9] },
		{ validationLosses: [0.6, 0.5, 0.4, 0.6] },
	],
	[
		'majority_baseline_not_beaten',
		'every row is given the frequent class',
		{ validation: split(binary, repeated([0, 1, 1, 1], 5), repeated([1, 1, 1, 1], 5)) },
		{ validation: split(binary, repeated([0, 1, 1, 1], 5), repeated([-1, 1, 1, 1], 5)) },
	],
	[
		'majority_baseline_not_beaten',
		'a regression is no better than the mean',
		{
			task: regression,
			train: split(regression, [1.5, 2.5, 3.5], [2, 2, 2]),
			validation: split(regression, [1.5, 2.5, 3.5], [3.5, 2.5, 1.5]),
		},
		{ task: regression, train: split(regression, [1.5, 2.5, 3.5], [2, 2, 2]), validation: split(regression, [1.5, 2.5, 3.5], [2, 2.5, 3]) },
	],
	[
		'majority_baseline_not_beaten',
		'quantiles are no better than those of all labels',
		ofQuantiles((label) => [label - 2, label + 1, label + 2]),
		ofQuantiles((label) => [label - 0.5, label, label + 0.5]),
	],
	[
		'majority_baseline_not_beaten',
		'a label is always told as its frequent value',
		labelled([-1, 1, -1, -1, -1, 1, -1, -1]),
		labelled([1, 1, -1, -1, -1, 1, -1, -1]),
	],
	[
		'useless_class',
		'a class is never predicted',
		{ validation: split(binary, repeated([0, 1, 1, 0], 5), repeated([-1, -1, -1, -1], 5)) },
		{ validation: split(binary, repeated([0, 0, 0, 0], 5), repeated([-1, -1, -1, -1], 5)) },
	],
	['useless_class', 'a label is never predicted', labelled([-1, 1, -1, -1, -1, 1, -1, -1]), labelled([1, 1, -1, -1, -1, 1, -1, -1])],
	[
		'useless_modality',
		'the loss does not rise beyond its error without a modality',
		{ gains: [{ name: 'b', gain: 0.01, error: 0.01 }] },
		{ gains: [{ name: 'b', gain: 0.011, error: 0.01 }] },
	],
	['useless_modality', 'the loss falls without a modality', { gains: [{ name: 'b', gain: -0.3, error: 0.01 }] }, { gains: [] }],
	[
		'unseen_categories',
		'a split has values that training has not',
		{ unseen: [{ modality: 'a', split: 'test', count: 1, values: [7], rows: 3 }] },
		{ unseen: [] },
	],
	['labels_look_like_classes', 'a regression has few whole labels', wholeValues([0, 1]), { ...wholeValues([0, 1]), valuesAreMeant: true }],
	['labels_look_like_classes', 'a regression has few whole labels', wholeValues([1, 2, 3]), wholeValues([1, 2.5, 3])],
	['labels_look_like_classes', 'a regression has few whole labels', wholeValues([0, 1]), wholeValues([...Array(11).keys()])],
];

describe('the warnings of a job', () => {
	for (const [code, when, warned, quiet] of CASES)
		it(`have ${code} where ${when}, and else not`, () => {
			expect(codes(warned)).toContain(code);
			expect(codes(quiet)).not.toContain(code);
		});

	it('are none for a sound job', () => {
		expect(warningsOf(sound)).toEqual([]);
	});

	it('name what they are about', () => {
		const [collapsed] = warningsOf({ ...sound, weights: { a: weight(3.7), b: weight(0.0002), c: weight(0.15), d: weight(0.15) } });
		expect(collapsed).toMatchObject({ code: 'weights_collapsed', names: ['a', 'b'], message: expect.stringContaining('a 3.700') });
		const never = warningsOf({ ...sound, validation: split(binary, repeated([0, 1, 1, 0], 5), repeated([-1, -1, -1, -1], 5)) });
		expect(never.find(({ code }) => code === 'useless_class')).toMatchObject({ names: ['yes'], split: 'validation' });
		const gains = [...sound.gains, { name: 'c', gain: -0.001, error: 0.002 }];
		expect(warningsOf({ ...sound, gains })).toMatchObject([{ names: ['c'], message: expect.stringContaining('c -0.001000 ± 0.002000') }]);
		const unseen = [{ modality: 'a', split: 'test', count: 12, values: [7, 9], rows: 3 }];
		expect(warningsOf({ ...sound, unseen })).toMatchObject([
			{ names: ['a'], split: 'test', message: expect.stringMatching(/12 values of a .* 3 of its rows.*: 7, 9, …/) },
		]);
	});
});
