import { jobTask, type TaskProfile, type TrainedLoss } from '@steelyard/contracts';
import { expect, it } from 'vitest';
import { type EachLabel, labelFacts, positionFacts } from '../src/report/baseline.js';

const task = (type: TaskProfile['type'], outputs: number): TaskProfile => ({ type, classes: [], outputs });
const each =
	(labels: readonly number[]): EachLabel =>
	(visit) =>
		labels.forEach(visit);

const cases: [TaskProfile, number[], number[], TrainedLoss[]][] = [
	[
		task('multiclass', 4),
		[0, 1, 1, 2, 2, 2, 2],
		[2, 2, 1, 3, 0],
		['cross_entropy', { name: 'cross_entropy', labelSmoothing: 0.1 }, { name: 'focal', gamma: 2 }],
	],
	[
		task('binary', 1),
		[1, 0, 0, 0, 1],
		[0, 1, 1],
		['binary_cross_entropy', { name: 'binary_cross_entropy', labelSmoothing: 0.2 }, { name: 'binary_focal', gamma: 1.5, alpha: 0.25 }],
	],
	[task('regression', 1), [1, 2, 6], [0, 2.5, 9, 4], ['mse', 'mae', { name: 'huber', delta: 1.5 }]],
];

it.each(cases.flatMap(([of, train, validation, losses]) => losses.map((loss) => [of.type, loss, of, train, validation] as const)))(
	'labels of positions tell what the same labels of rows tell: %s by %j',
	(_, loss, of, train, validation) => {
		const rows = labelFacts(of, loss, Float64Array.from(train), Float64Array.from(validation));
		const positions = positionFacts(of, loss, each(train), each(validation))!;
		expect(positions.top).toEqual(rows.top);
		// rows go through logits of float32
		expect(positions.nothing.loss).toBeCloseTo(rows.nothing.loss, 6);
		if (rows.nothing.rmse === null) expect(positions.nothing.rmse).toBeNull();
		else expect(positions.nothing.rmse).toBeCloseTo(rows.nothing.rmse, 6);
	},
);

it('a model of quantiles that sees nothing gives those of the training labels', () => {
	const quantiles = [0.25, 0.5, 0.75];
	const labels = { train: Float64Array.of(5, 1, 3, 2, 4), validation: Float64Array.of(2, 6) };
	const { nothing } = labelFacts(
		jobTask(task('regression', 1), quantiles),
		{ name: 'quantile', quantiles },
		labels.train,
		labels.validation,
	);
	// 2, 3 and 4: of the label 2 it is 0, 0.5 · 1 and 0.25 · 2 off, of 6 it is 0.25 · 4, 0.5 · 3 and 0.75 · 2
	expect(nothing.loss).toBeCloseTo((0 + 0.5 + 0.5 + 1 + 1.5 + 1.5) / 6, 12);
});

it('is null where no position counts', () => {
	expect(positionFacts(task('binary', 1), 'binary_cross_entropy', each([]), each([1]))).toBeNull();
	expect(positionFacts(task('binary', 1), 'binary_cross_entropy', each([1]), each([]))).toBeNull();
});
