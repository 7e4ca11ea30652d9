import { type Attributes, float, type GraphBuilder, type Shape, type Value } from '@steelyard/onnx';
import type { Case } from '../gradient-check.js';
import { classicalCases } from './classical.js';
import { microsoftCases } from './microsoft.js';

const F = 'float32';
/** One value as some output of a node; those before it are there as well. */
function output(
	g: GraphBuilder,
	op: string,
	inputs: Array<Value | null>,
	attributes: Attributes,
	index: number,
	shape: Shape,
	count = index + 1,
): Value {
	const outputs = Array.from({ length: count }, (_, i) => ({ name: `${op}.${i}`, dtype: F, shape: i === index ? shape : [] }) as Value);
	g.node(op, inputs, outputs, attributes);
	return outputs[index] as Value;
}
const of = (op: string, opset: number, shapes: number[][], attributes: Attributes = {}, more: Partial<Case> = {}): Case => ({
	shapes,
	opset,
	dtype: F,
	build: (g, inputs) => g.op(op, inputs, attributes),
	...more,
});

const queries = [2, 4, 3, 5];
const keys = [2, 2, 6, 5];
const attention = (
	attributes: Attributes,
	more: { mask?: 'bool' | 'float'; flat?: boolean; past?: boolean; output?: number } = {},
): Case => {
	const { mask, flat, past } = more;
	return {
		shapes: flat
			? [
					[2, 3, 20],
					[2, 6, 10],
					[2, 6, 10],
				]
			: [queries, keys, keys, ...(past ? [keys, keys] : [])],
		opset: 23,
		dtype: F,
		range: [-1, 1],
		build: (g, [q, k, v, pastKeys, pastValues]) => {
			const total = past ? 12 : 6;
			const allowed = Array.from({ length: 3 * total }, (_, i) => (i % 4 === 3 ? 0 : 1));
			const given = mask === undefined ? null : g.constant(mask === 'bool' ? 'bool' : F, [3, total], allowed);
			const inputs = [q!, k!, v!, given, pastKeys ?? null, pastValues ?? null];
			const heads: Attributes = flat ? { q_num_heads: 4, kv_num_heads: 2 } : {};
			const shapes = [flat ? [2, 3, 20] : queries, [2, 2, total, 5], [2, 2, total, 5], [2, 4, 3, total]];
			const index = more.output ?? 0;
			return output(
				g,
				'Attention',
				past ? inputs : inputs.slice(0, 4),
				{ ...heads, ...attributes },
				index,
				shapes[index] as Shape,
				past ? 3 : index + 1,
			);
		},
	};
};

const labels = [2, 0, 1, 2];
const loss = (
	op: string,
	attributes: Attributes,
	{ weighted = false, target = labels, spatial = [] as number[], index = 0 } = {},
): Case => {
	const targets = [4, ...spatial];
	const count = targets.reduce((a, b) => a * b, 1);
	return {
		shapes: [[4, 3, ...spatial], ...(weighted ? [[3]] : [])],
		dtype: F,
		range: [0.2, 1.5],
		opset: 13,
		build: (g, [x, w]) => {
			const classes = g.constant(
				'int64',
				targets,
				Array.from({ length: count }, (_, i) => target[i % target.length] as number),
			);
			const shape = index === 1 ? [4, 3, ...spatial] : attributes['reduction'] === 'none' ? targets : [];
			return output(g, op, w ? [x!, classes, w] : [x!, classes], attributes, index, shape);
		},
	};
};
const lossCases = (op: string): Case[] => [
	...['mean', 'sum', 'none'].flatMap((reduction) => [
		loss(op, { reduction }),
		loss(op, { reduction, ignore_index: 0 }, { weighted: true, spatial: [2] }),
	]),
	loss(op, { ignore_index: -100 }, { target: [2, -100, 1, 0], spatial: [2, 3] }),
];

const rotary = (attributes: Attributes, shape: number[], positions: boolean, turned = 4): Case => ({
	shapes: [shape, positions ? [7, turned / 2] : [2, 3, turned / 2], positions ? [7, turned / 2] : [2, 3, turned / 2]],
	dtype: F,
	opset: 23,
	build: (g, inputs) =>
		g.op('RotaryEmbedding', positions ? [...inputs, g.constant('int64', [2, 3], [0, 3, 6, 1, 1, 2])] : inputs, attributes),
});

/** Uses of every operator that canonicalise writes as others, in an operator set that has it; central differences are of the runtime's own kernel or function. */
export const compositeCases: Record<string, Case[]> = {
	...microsoftCases,
	...classicalCases,
	AffineGrid: [
		{
			shapes: [[2, 2, 3]],
			dtype: F,
			opset: 20,
			build: (g, [theta]) => g.op('AffineGrid', [theta!, g.ints([2, 1, 3, 4])], { align_corners: 1 }, { shape: [2, 3, 4, 2] }),
		},
		{
			shapes: [[1, 3, 4]],
			dtype: F,
			opset: 20,
			build: (g, [theta]) => g.op('AffineGrid', [theta!, g.ints([1, 1, 2, 3, 4])], {}, { shape: [1, 2, 3, 4, 3] }),
		},
	],
	Attention: [
		attention({}),
		attention({ is_causal: 1, scale: float(0.7) }),
		attention({ softcap: float(2) }, { mask: 'float' }),
		attention({}, { mask: 'bool' }),
		attention({}, { flat: true }),
		attention({ is_causal: 0 }, { past: true, mask: 'bool' }),
		attention({}, { past: true, output: 1 }),
		attention({}, { output: 3 }),
		attention({ qk_matmul_output_mode: 3 }, { output: 3 }),
	],
	CastLike: [{ shapes: [[2, 3]], dtype: F, opset: 19, build: (g, [x]) => g.op('CastLike', [x!, g.scalar(0)], { saturate: 1 }) }],
	CenterCropPad: [
		{
			shapes: [[5, 2, 4]],
			dtype: F,
			build: (g, [x]) => g.op('CenterCropPad', [x!, g.ints([2, 5])], { axes: [0, -2] }, { shape: [2, 5, 4] }),
		},
	],
	CumProd: [
		{ shapes: [[2, 5]], dtype: F, opset: 26, build: (g, [x]) => g.op('CumProd', [x!, g.scalar(1, 'int64')]) },
		{
			shapes: [[5, 2]],
			dtype: F,
			opset: 26,
			build: (g, [x]) => g.op('CumProd', [x!, g.scalar(0, 'int64')], { exclusive: 1, reverse: 1 }),
		},
	],
	Gelu: [of('Gelu', 20, [[2, 3]]), of('Gelu', 20, [[2, 3]], { approximate: 'tanh' })],
	GroupNormalization: [
		of('GroupNormalization', 18, [[2, 4, 3], [2], [2]], { num_groups: 2 }),
		of('GroupNormalization', 21, [[2, 4, 2, 3], [4], [4]], { num_groups: 2, epsilon: float(1e-3) }),
	],
	HardSwish: [of('HardSwish', 18, [[2, 3]]), of('HardSwish', 18, [[2, 3]], {}, { range: [3.5, 5] })],
	MeanVarianceNormalization: [
		of('MeanVarianceNormalization', 13, [[2, 3, 2, 2]]),
		of('MeanVarianceNormalization', 18, [[3, 4]], { axes: [1] }),
	],
	Mish: [of('Mish', 18, [[2, 3]])],
	NegativeLogLikelihoodLoss: lossCases('NegativeLogLikelihoodLoss'),
	RMSNormalization: [
		of('RMSNormalization', 23, [[2, 3, 4], [4]]),
		of(
			'RMSNormalization',
			23,
			[
				[2, 3, 4],
				[3, 4],
			],
			{ axis: 1, epsilon: float(1e-2) },
		),
	],
	RotaryEmbedding: [
		rotary({}, [2, 2, 3, 4], true),
		rotary({ interleaved: 1 }, [2, 2, 3, 4], false),
		rotary({ interleaved: 1, rotary_embedding_dim: 4 }, [2, 2, 3, 6], true),
		rotary({ num_heads: 2, rotary_embedding_dim: 4 }, [2, 3, 12], false),
	],
	Shrink: [
		of('Shrink', 18, [[2, 3]], { bias: float(0.3), lambd: float(0.4) }, { range: [0.5, 2] }),
		of('Shrink', 18, [[2, 3]], { bias: float(0.3), lambd: float(0.4) }, { range: [-2, -0.5] }),
	],
	SoftmaxCrossEntropyLoss: [...lossCases('SoftmaxCrossEntropyLoss'), loss('SoftmaxCrossEntropyLoss', {}, { index: 1 })],
	Swish: [of('Swish', 24, [[2, 3]], { alpha: float(1.7) }), of('Swish', 24, [[2, 3]])],
	TensorScatter: [
		{
			shapes: [
				[2, 3, 6, 2],
				[2, 3, 2, 2],
			],
			dtype: F,
			opset: 24,
			build: (g, [cache, update]) => g.op('TensorScatter', [cache!, update!, g.ints([1, 4])]),
		},
		{
			shapes: [
				[2, 4],
				[2, 2],
			],
			dtype: F,
			opset: 24,
			build: (g, [cache, update]) => g.op('TensorScatter', [cache!, update!, g.ints([3, 1])], { axis: 1, mode: 'circular' }),
		},
	],
	// Forms that only later operator sets have
	Pad: [
		{
			shapes: [[2, 3]],
			dtype: F,
			opset: 19,
			build: (g, [x]) => g.op('Pad', [x!, g.ints([1, 2, 0, 4])], { mode: 'wrap' }, { shape: [3, 9] }),
		},
	],
	AveragePool: [
		{
			shapes: [[1, 2, 6, 5]],
			dtype: F,
			opset: 19,
			build: (g, [x]) =>
				g.op(
					'AveragePool',
					[x!],
					{ kernel_shape: [2, 2], dilations: [2, 3], strides: [2, 1], pads: [1, 0, 0, 1] },
					{ shape: [1, 2, 3, 3] },
				),
		},
	],
};
