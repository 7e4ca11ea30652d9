import type { ModelReport, ModelVerdict } from '@steelyard/contracts';

const parameter = (name: string, shape: number[], more: object = {}) => ({
	name,
	dtype: 'float32',
	shape,
	trainable: true,
	reason: 'weight of a Gemm',
	...more,
});

/** Of a model that fits the small datasets of the tests: `labs` and `text`, two features each, one output a row. */
export const report: ModelReport = {
	opset: 18,
	inputs: [
		{ name: 'labs', dtype: 'float32', shape: ['batch', 2] },
		{ name: 'text', dtype: 'float32', shape: ['batch', 2] },
	],
	outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 1] }],
	parameters: [
		parameter('encoder.weight', [4, 8]),
		parameter('encoder.bias', [8]),
		parameter('head.weight', [8, 1]),
		parameter('sqrt_two', [], { trainable: false, reason: 'a constant of Div' }),
	],
	operators: { Concat: 1, Gemm: 2, Relu: 1 },
	blockers: [],
};

export const ready: ModelVerdict = { status: 'ready', report, error: null };
