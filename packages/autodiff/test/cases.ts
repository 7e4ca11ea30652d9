import { controlCases } from './cases/control.js';
import { convolveCases } from './cases/convolve.js';
import { elementwiseCases } from './cases/elementwise.js';
import { indexCases } from './cases/index-of-values.js';
import { quantizeCases } from './cases/quantize.js';
import { recurrentCases } from './cases/recurrent.js';
import { resampleCases } from './cases/resample.js';
import { scatterCases } from './cases/scatter.js';
import { signalCases } from './cases/signal.js';
import type { Case } from './gradient-check.js';

const unary = (op: string, more: Partial<Case> = {}): Case => ({ shapes: [[2, 3]], build: (g, [x]) => g.op(op, [x!]), ...more });

/** Uses of every operator that has a rule; the test below fails for a rule that is missing here. */
export const cases: Record<string, Case[]> = {
	...elementwiseCases,
	...indexCases,
	...convolveCases,
	...controlCases,
	...recurrentCases,
	...resampleCases,
	...quantizeCases,
	...scatterCases,
	...signalCases,
	Identity: [unary('Identity')],
	Neg: [unary('Neg')],
	Exp: [unary('Exp')],
	Log: [unary('Log', { range: [0.2, 3] })],
	Sqrt: [unary('Sqrt', { range: [0.2, 3] })],
	Abs: [unary('Abs', { range: [0.1, 2] }), unary('Abs', { range: [-2, -0.1] })],
	Tanh: [unary('Tanh')],
	Sigmoid: [unary('Sigmoid')],
	Softplus: [unary('Softplus', { dtype: 'float32' })],
	Relu: [unary('Relu', { range: [0.1, 2] }), unary('Relu', { range: [-2, -0.1] }), unary('Relu', { dtype: 'float32', range: [0.2, 2] })],
	Add: [{ shapes: [[2, 3], [3]], build: (g, [a, b]) => g.add(a!, b!) }],
	Sub: [
		{
			shapes: [
				[2, 1, 3],
				[4, 1],
			],
			build: (g, [a, b]) => g.sub(a!, b!),
		},
	],
	Mul: [
		{ shapes: [[], [2, 2]], build: (g, [a, b]) => g.mul(a!, b!) },
		{ shapes: [[2, 3]], build: (g, [a]) => g.mul(a!, a!) },
	],
	Div: [
		{
			shapes: [
				[2, 3],
				[2, 1],
			],
			range: [0.3, 2],
			build: (g, [a, b]) => g.div(a!, b!),
		},
	],
	Pow: [{ shapes: [[2, 3], [3]], range: [0.3, 2], build: (g, [a, b]) => g.op('Pow', [a!, b!]) }],
	Where: [
		{
			shapes: [[2, 3], [3]],
			build: (g, [a, b]) =>
				g.op(
					'Where',
					[g.op('Greater', [a!, g.scalar(0, 'float64')], {}, { dtype: 'bool' }), a!, b!],
					{},
					{ dtype: 'float64', shape: [2, 3] },
				),
		},
	],
	MatMul: [
		{
			shapes: [
				[2, 3],
				[3, 4],
			],
			build: (g, [a, b]) => g.matMul(a!, b!),
		},
		{
			shapes: [
				[2, 1, 2, 3],
				[4, 3, 2],
			],
			build: (g, [a, b]) => g.matMul(a!, b!),
		},
	],
	Gemm: [false, true].flatMap((transA) =>
		[false, true].flatMap((transB): Case[] => [
			{
				shapes: [transA ? [3, 2] : [2, 3], transB ? [4, 3] : [3, 4], [4]],
				build: (g, [a, b, c]) => g.gemm(a!, b!, c!, { transA, transB, alpha: 0.7, beta: 1.3 }),
			},
			{ shapes: [transA ? [3, 2] : [2, 3], transB ? [4, 3] : [3, 4]], build: (g, [a, b]) => g.gemm(a!, b!, null, { transA, transB }) },
		]),
	),
	ReduceSum: [
		{ shapes: [[2, 3, 2]], build: (g, [x]) => g.reduceSum(x!, [1]) },
		{ shapes: [[2, 3, 2]], build: (g, [x]) => g.op('ReduceSum', [x!, g.ints([-1, 0])], { keepdims: 0 }, { shape: [3] }) },
		{ shapes: [[2, 3]], build: (g, [x]) => g.op('ReduceSum', [x!], { keepdims: 0 }, { shape: [] }) },
		{ shapes: [[2, 3]], build: (g, [x]) => g.op('ReduceSum', [x!], { noop_with_empty_axes: 1 }) },
	],
	ReduceMean: [{ shapes: [[2, 3, 2]], build: (g, [x]) => g.reduce('ReduceMean', x!, [0, 2], false) }],
	Reshape: [{ shapes: [[2, 3]], build: (g, [x]) => g.reshape(x!, [3, 2]) }],
	Flatten: [{ shapes: [[2, 3, 2]], build: (g, [x]) => g.op('Flatten', [x!], { axis: 1 }, { shape: [2, 6] }) }],
	Squeeze: [{ shapes: [[2, 1, 3]], build: (g, [x]) => g.op('Squeeze', [x!, g.ints([1])], {}, { shape: [2, 3] }) }],
	Unsqueeze: [{ shapes: [[2, 3]], build: (g, [x]) => g.op('Unsqueeze', [x!, g.ints([1])], {}, { shape: [2, 1, 3] }) }],
	Expand: [{ shapes: [[2, 1]], build: (g, [x]) => g.expand(x!, [4, 2, 3]) }],
	Transpose: [
		{ shapes: [[2, 3, 4]], build: (g, [x]) => g.transpose(x!, [2, 0, 1]) },
		{ shapes: [[2, 3]], build: (g, [x]) => g.op('Transpose', [x!], {}, { shape: [3, 2] }) },
	],
	Concat: [
		{
			shapes: [
				[2, 3],
				[2, 1],
				[2, 2],
			],
			build: (g, inputs) => g.concat(inputs, 1),
		},
		{
			shapes: [
				[2, 3],
				[2, 1],
			],
			build: (g, inputs) => g.op('Concat', inputs, { axis: -1 }, { shape: [2, 4] }),
		},
	],
	Split: [
		{ shapes: [[2, 5]], build: (g, [x]) => g.mul(g.split(x!, [2, 2, 1], 1)[0]!, g.split(x!, [2, 2, 1], 1)[1]!) },
		{ shapes: [[2, 5]], build: (g, [x]) => g.split(x!, [2, 3], 1)[1]! },
	],
	Softmax: [
		{ shapes: [[2, 3]], build: (g, [x]) => g.op('Softmax', [x!], { axis: -1 }) },
		{ shapes: [[2, 3, 2]], build: (g, [x]) => g.op('Softmax', [x!], { axis: 1 }) },
	],
	LogSoftmax: [{ shapes: [[2, 3]], build: (g, [x]) => g.op('LogSoftmax', [x!], { axis: 1 }) }],
};
