import { type Attributes, float } from '@steelyard/onnx';
import type { Case } from '../gradient-check.js';

const one = (
	op: string,
	range: [number, number] = [-2, 2],
	attributes: Attributes = {},
	dtype: 'float32' | 'float64' = 'float32',
): Case => ({
	shapes: [[2, 3]],
	range,
	dtype,
	build: (g, [x]) => g.op(op, [x!], attributes),
});

/** Both sides of a kink at 0. */
const sides = (op: string, attributes: Attributes = {}): Case[] => [one(op, [0.2, 2], attributes), one(op, [-2, -0.2], attributes)];

const many = (op: string, dtype: 'float32' | 'float64'): Case => ({
	shapes: [[2, 3], [3], [2, 1]],
	dtype,
	build: (g, inputs) => g.op(op, inputs, {}, { shape: [2, 3] }),
});

const reduction = (op: string, range: [number, number] = [-2, 2]): Case[] => [
	{ shapes: [[2, 3, 2]], range, dtype: 'float32', build: (g, [x]) => g.reduce(op, x!, [1]) },
	{
		shapes: [[2, 3, 2]],
		range,
		dtype: 'float32',
		build: (g, [x]) => g.op(op, [x!, g.ints([-1, 0])], { keepdims: 0 }, { shape: [3] }),
	},
	{ shapes: [[2, 3]], range, dtype: 'float32', build: (g, [x]) => g.op(op, [x!], { keepdims: 0 }, { shape: [] }) },
];

/** Far-apart elements, so that no small change alters which is the largest. */
const ordered = (op: string): Case[] =>
	reduction(op, [-0.4, 0.4]).map((use) => ({
		...use,
		build: (g, [x]) => {
			const shape = x!.shape as number[];
			const steps = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (i * 7) % 12);
			return use.build(g, [g.add(x!, g.constant('float32', shape, steps))]);
		},
	}));

const cumSum = (exclusive: number, reverse: number): Case => ({
	shapes: [[2, 4]],
	build: (g, [x]) => g.op('CumSum', [x!, g.constant('int64', [], [-1])], { exclusive, reverse }),
});

export const elementwiseCases: Record<string, Case[]> = {
	Sin: [one('Sin', [-2, 2], {}, 'float64')],
	Cos: [one('Cos', [-2, 2], {}, 'float64')],
	Tan: [one('Tan', [-1, 1])],
	Asin: [one('Asin', [-0.8, 0.8])],
	Acos: [one('Acos', [-0.8, 0.8])],
	Atan: [one('Atan')],
	Sinh: [one('Sinh')],
	Cosh: [one('Cosh')],
	Erf: [one('Erf')],
	Reciprocal: [one('Reciprocal', [0.5, 2], {}, 'float64')],
	Asinh: [one('Asinh')],
	Acosh: [one('Acosh', [1.2, 3])],
	Atanh: [one('Atanh', [-0.8, 0.8])],
	Shrink: [one('Shrink', [0.6, 2], {}), one('Shrink', [-2, -0.6], { bias: float(0.3) }), one('Shrink', [-0.9, 0.9], { lambd: float(1) })],
	Mod: [
		// quotients between 1.2 and 1.6, of both signs
		...[1, -1].map(
			(sign): Case => ({
				shapes: [[2, 3], [3]],
				range: [1.3, 1.5],
				build: (g, [a, b]) => g.op('Mod', [g.scale(1.3 * sign, a!), g.neg(b!)], { fmod: 1 }, { shape: [2, 3] }),
			}),
		),
		{
			shapes: [[2], [3, 1]],
			range: [1.1, 1.3],
			build: (g, [a, b]) => g.op('Mod', [g.scale(3, a!), b!], { fmod: 1 }, { shape: [3, 2] }),
		},
	],
	Softsign: sides('Softsign'),
	LeakyRelu: [...sides('LeakyRelu'), ...sides('LeakyRelu', { alpha: float(0.3) })],
	Elu: [...sides('Elu'), ...sides('Elu', { alpha: float(0.7) })],
	Celu: [...sides('Celu'), ...sides('Celu', { alpha: float(0.7) })],
	Selu: [...sides('Selu'), ...sides('Selu', { alpha: float(1.2), gamma: float(0.8) })],
	PRelu: (
		[
			[0.2, 2],
			[-2, -0.2],
		] as [number, number][]
	).map((range) => ({
		shapes: [[2, 3], [3]],
		range,
		dtype: 'float32',
		build: (g, [x, slope]) => g.op('PRelu', [x!, slope!]),
	})),
	ThresholdedRelu: [
		one('ThresholdedRelu', [1.2, 2]),
		one('ThresholdedRelu', [0.2, 0.9]),
		one('ThresholdedRelu', [0.6, 2], { alpha: float(0.5) }),
	],
	HardSigmoid: [one('HardSigmoid'), one('HardSigmoid', [3, 5]), one('HardSigmoid', [-0.5, 0.5], { alpha: float(0.4), beta: float(0.3) })],
	// between two Neg: ORT's expansion of HardSwish calls a node Mul_1, which must not be the name of another
	HardSwish: (
		[
			[-2.5, 2.5],
			[3.2, 5],
			[-5, -3.2],
		] as [number, number][]
	).flatMap((range) => [{ shapes: [[2, 3]], range, dtype: 'float32', build: (g, [x]) => g.neg(g.op('HardSwish', [g.neg(x!)])) }]),
	Mish: [one('Mish')],
	Clip: [
		{ shapes: [[2, 3]], build: (g, [x]) => g.op('Clip', [x!, g.scalar(-0.5, 'float64'), g.scalar(0.7, 'float64')]) },
		{ shapes: [[2, 3]], build: (g, [x]) => g.op('Clip', [x!, null, g.scalar(0.7, 'float64')]) },
		{ shapes: [[2, 3], [], []], build: (g, [x, low, high]) => g.op('Clip', [x!, low!, high!]) },
	],
	Max: [many('Max', 'float64')],
	Min: [many('Min', 'float64')],
	Sum: [many('Sum', 'float64')],
	Mean: [many('Mean', 'float32')],
	Cast: [
		{
			shapes: [[2, 3]],
			dtype: 'float32',
			build: (g, [x]) => g.op('Cast', [x!], { to: 11 }, { dtype: 'float64' }),
		},
	],
	ReduceProd: [
		...reduction('ReduceProd', [0.5, 1.5]),
		...reduction('ReduceProd', [-1.5, -0.5]),
		// no zero, one, two in a row of the product
		...['float32', 'float64'].map(
			(dtype): Case => ({
				shapes: [[3, 3]],
				dtype: dtype as 'float32' | 'float64',
				data: [[0.5, 2, -1, 0, 3, 0.7, 0, 1.5, 0]],
				build: (g, [x]) => g.reduce('ReduceProd', x!, [1], false),
			}),
		),
		{
			shapes: [[2, 2]],
			dtype: 'float32',
			data: [[0, 2, 3, -1]],
			build: (g, [x]) => g.op('ReduceProd', [x!], { keepdims: 0 }, { shape: [] }),
		},
		{ shapes: [[2, 2]], dtype: 'float32', build: (g, [x]) => g.op('ReduceProd', [x!], { noop_with_empty_axes: 1 }) },
	],
	ReduceLogSumExp: reduction('ReduceLogSumExp'),
	ReduceL1: [...reduction('ReduceL1', [0.2, 2]), ...reduction('ReduceL1', [-2, -0.2])],
	ReduceL2: reduction('ReduceL2', [0.2, 2]),
	ReduceSumSquare: reduction('ReduceSumSquare'),
	ReduceLogSum: reduction('ReduceLogSum', [0.2, 2]),
	ReduceMax: ordered('ReduceMax'),
	ReduceMin: ordered('ReduceMin'),
	CumSum: [cumSum(0, 0), cumSum(1, 0), cumSum(0, 1), cumSum(1, 1)],
};
