import { type Attributes, float, type GraphBuilder, type Shape, type Value } from '@steelyard/onnx';
import type { Case } from '../gradient-check.js';

type Use = {
	attributes?: Attributes;
	/** The shape of the output that is used; that of the first input unless given. */
	shape?: Shape;
	/** Which output is used, of how many; those between it and the first are left out. */
	output?: number;
	count?: number;
	/** All inputs of the node, made of those that have gradients. */
	inputs?: (g: GraphBuilder, x: readonly Value[]) => (Value | null)[];
	domain?: string;
} & Pick<Case, 'range' | 'surrogate'>;

/** A use of an operator of ONNX Runtime's own domain, with floating inputs of these shapes. */
const use = (
	op: string,
	shapes: number[][],
	{ attributes = {}, shape, output = 0, count = output + 1, inputs, domain = 'com.microsoft.', ...more }: Use = {},
): Case => ({
	shapes,
	dtype: 'float32',
	range: [-1, 1],
	opset: 17,
	build: (g, x) => {
		const [first] = x as [Value];
		const used: Value = { name: 'used', dtype: first.dtype, shape: shape ?? first.shape };
		const outputs = Array.from({ length: count }, (_, i) => (i === output ? used : i === 0 ? { ...used, name: 'first' } : null));
		g.node(domain + op, inputs ? inputs(g, x) : x, outputs, attributes);
		return used;
	},
	...more,
});

const products = (op: string): Case[] => [
	use(
		op,
		[
			[2, 3],
			[4, 3],
		],
		{ attributes: { transB: 1, alpha: float(0.3) }, shape: [2, 4] },
	),
	use(
		op,
		[
			[2, 5, 3],
			[2, 5, 4],
		],
		{ attributes: { transA: 1 }, shape: [2, 3, 4] },
	),
	use(op, [[2, 2, 3], [3]], { shape: [2, 2] }),
];
const conv = (attributes: Attributes, shapes: number[][], more: Use = {}): Case =>
	use('FusedConv', shapes, {
		attributes: { kernel_shape: [2, 2], strides: [2, 1], pads: [1, 0, 0, 1], ...attributes },
		shape: [2, 3, 2, 4],
		...more,
	});
const convShapes = [[2, 2, 4, 4], [3, 2, 2, 2], [3]];
const leaky: Attributes = { activation: 'LeakyRelu', activation_params: { type: 'floats', value: [0.3] } };
const norm = { epsilon: float(1e-3) };

const words = (g: GraphBuilder, [word, position, segment, scale, shift]: readonly Value[], more: readonly (Value | null)[] = []) => [
	g.constant('int32', [2, 3], [0, 4, 2, 3, 3, 1]),
	segment ? g.constant('int32', [2, 3], [0, 1, 1, 0, 0, 1]) : null,
	word!,
	position!,
	segment ?? null,
	scale!,
	shift!,
	...more,
];

/** [batch 2, sequence 3, hidden 4] attends to itself by 2 heads. */
const self = (
	attributes: Attributes = {},
	mask: ((g: GraphBuilder) => Value) | null = null,
	more: { bias?: boolean; shape?: number[]; width?: number } = {},
): Case => {
	const width = more.width ?? 12;
	return use('Attention', [[2, 3, 5], [5, width], [width], ...(more.bias ? [[2, 2, 3, 3]] : [])], {
		attributes: { num_heads: 2, ...attributes },
		shape: more.shape ?? [2, 3, 4],
		inputs: (g, [x, w, b, bias]) => [x!, w!, b!, mask?.(g) ?? null, null, bias ?? null],
	});
};
const ints = (shape: number[], values: number[]) => (g: GraphBuilder) => g.constant('int32', shape, values);
const heads: Attributes = { num_heads: 2 };

/** The parts of values packed as [batch, sequence, heads, parts, size], as [batch, sequence, heads·size]. */
const parts = (g: GraphBuilder, x: Value): Value[] =>
	g.split(x, new Array<number>(x.shape[3] as number).fill(1), 3).map((part) => g.reshape(part, [x.shape[0]!, x.shape[1]!, 4]));
const attending = (g: GraphBuilder, inputs: readonly Value[]): Value => g.op('com.microsoft.MultiHeadAttention', inputs, heads);

/** Uses of the operators that ONNX Runtime's optimizer and converters write. */
export const microsoftCases: Record<string, Case[]> = {
	'com.microsoft.FusedMatMul': [
		...products('FusedMatMul'),
		use(
			'FusedMatMul',
			[
				[3, 2, 4],
				[3, 5, 4],
			],
			{ attributes: { transBatchA: 1, transBatchB: 1, transB: 1 }, shape: [2, 3, 3], inputs: (_, [a]) => [a!, a!] },
		),
		use(
			'FusedMatMul',
			[
				[4, 2, 3],
				[2, 4, 5],
			],
			{ attributes: { transA: 1, transBatchA: 1 }, shape: [2, 3, 5] },
		),
	],
	'com.microsoft.TransposeMatMul': products('TransposeMatMul'),
	'com.microsoft.Gelu': [use('Gelu', [[2, 3]])],
	'com.microsoft.BiasGelu': [use('BiasGelu', [[2, 4, 3], [3]])],
	'com.microsoft.FastGelu': [use('FastGelu', [[2, 3]]), use('FastGelu', [[2, 4, 3], [3]])],
	'com.microsoft.QuickGelu': [use('QuickGelu', [[2, 3]]), use('QuickGelu', [[2, 3]], { attributes: { alpha: float(0.6) } })],
	'com.microsoft.FusedConv': [
		conv({ activation: 'Tanh' }, convShapes),
		conv(leaky, [...convShapes, [2, 3, 2, 4]], { range: [0.2, 1] }),
		conv(leaky, [...convShapes, [2, 3, 2, 4]], {
			range: [0.2, 1],
			inputs: (g, [x, ...others]) => [x!, ...others.map((one) => g.neg(one))],
		}),
		conv({ activation: 'HardSigmoid', activation_params: { type: 'floats', value: [0.1, 0.4] } }, convShapes),
		conv({ activation: 'Clip', activation_params: { type: 'floats', value: [-9, 9] } }, convShapes),
		conv({ activation: 'Sigmoid' }, [convShapes[0]!, convShapes[1]!, [2, 3, 2, 4]], { inputs: (_, [x, w, z]) => [x!, w!, null, z!] }),
	],
	'com.microsoft.FusedGemm': [
		use('FusedGemm', [[2, 3], [4, 3], [4]], {
			attributes: { transB: 1, alpha: float(0.7), beta: float(1.3), activation: 'Tanh' },
			shape: [2, 4],
		}),
		use(
			'FusedGemm',
			[
				[3, 2],
				[3, 4],
			],
			{ attributes: { transA: 1, activation: 'LeakyRelu', activation_alpha: float(0.4) }, shape: [2, 4] },
		),
		use(
			'FusedGemm',
			[
				[2, 3],
				[3, 4],
			],
			{ attributes: { activation: 'Elu', activation_alpha: float(1) }, shape: [2, 4] },
		),
	],
	SimplifiedLayerNormalization: [use('SimplifiedLayerNormalization', [[2, 3, 4], [4]], { domain: '', attributes: { ...norm, axis: -1 } })],
	'com.microsoft.SkipLayerNormalization': [
		use('SkipLayerNormalization', [[2, 3, 4], [2, 3, 4], [4], [4]], { attributes: norm }),
		use('SkipLayerNormalization', [[2, 3, 4], [3, 4], [4], [4], [4]]),
		use('SkipLayerNormalization', [[2, 3, 4], [2, 3, 4], [4], [4]], {
			output: 3,
			inputs: (_, [x, skip, scale, bias]) => [x!, skip!, scale!, null, bias!],
		}),
	],
	'com.microsoft.SkipSimplifiedLayerNormalization': [
		use('SkipSimplifiedLayerNormalization', [[2, 3, 4], [2, 3, 4], [4]], { attributes: norm }),
		use('SkipSimplifiedLayerNormalization', [[2, 3, 4], [2, 3, 4], [4], [4]], { output: 3 }),
	],
	'com.microsoft.EmbedLayerNormalization': [
		use('EmbedLayerNormalization', [[5, 4], [3, 4], [2, 4], [4], [4]], { attributes: norm, count: 2, shape: [2, 3, 4], inputs: words }),
		use('EmbedLayerNormalization', [[5, 4], [6, 4], [4], [4]], {
			attributes: norm,
			count: 2,
			shape: [2, 3, 4],
			inputs: (g, [word, position, scale, shift]) =>
				words(g, [word!, position!, undefined as never, scale!, shift!], [null, g.constant('int32', [2, 3], [5, 1, 0, 2, 2, 4])]),
		}),
	],
	'com.microsoft.Attention': [
		self(),
		self({ scale: float(0.4), unidirectional: 1 }),
		self({ qkv_hidden_sizes: [4, 4, 6] }, null, { width: 14, shape: [2, 3, 6] }),
		self({}, ints([2, 3], [1, 1, 0, 0, 1, 1])),
		self({ unidirectional: 1 }, ints([2, 3], [1, 1, 0, 0, 1, 1])),
		self({ mask_filter_value: float(-2) }, ints([2], [2, 3])),
		self({ mask_filter_value: float(-2) }, ints([4], [3, 2, 0, 1])),
		self({ mask_filter_value: float(-3) }, ints([2, 3, 3], [1, 0, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 0, 0, 1, 1, 0, 0]), { bias: true }),
	],
	'com.microsoft.MultiHeadAttention': [
		use(
			'MultiHeadAttention',
			[
				[2, 3, 4],
				[2, 5, 4],
				[2, 5, 6],
			],
			{ attributes: heads, shape: [2, 3, 6] },
		),
		use('MultiHeadAttention', [[2, 3, 4], [2, 3, 4], [2, 3, 4], [12], [1, 2, 3, 3]], {
			attributes: { ...heads, unidirectional: 1, scale: float(0.3) },
			inputs: (_, [q, k, v, b, bias]) => [q!, k!, v!, b!, null, bias!],
		}),
		use(
			'MultiHeadAttention',
			[
				[2, 3, 4],
				[2, 2, 5, 2],
				[2, 2, 5, 2],
			],
			{
				attributes: { ...heads, mask_filter_value: float(-2) },
				inputs: (g, [q, k, v]) => [q!, k!, v!, null, g.constant('int32', [2, 5], [1, 1, 0, 0, 1, 1, 1, 1, 1, 0])],
			},
		),
		// packed forms, for which the runtime has kernels on GPUs alone
		use('MultiHeadAttention', [[2, 3, 2, 3, 2]], {
			attributes: heads,
			shape: [2, 3, 4],
			surrogate: (g, [x]) => attending(g, parts(g, x!)),
		}),
		use(
			'MultiHeadAttention',
			[
				[2, 3, 4],
				[2, 5, 2, 2, 2],
			],
			{ attributes: heads, shape: [2, 3, 4], surrogate: (g, [q, x]) => attending(g, [q!, ...parts(g, x!)]) },
		),
		{
			shapes: [
				[2, 3, 4],
				[2, 3, 4],
				[2, 3, 4],
				[2, 2, 2, 2],
				[2, 2, 2, 2],
			],
			dtype: 'float32',
			range: [-1, 1],
			build: (g, [q, k, v, pastKeys, pastValues]) => {
				const outputs = [[2, 3, 4], ...[1, 2].map(() => [2, 2, 5, 2])].map(
					(shape, i): Value => ({ name: `out${i}`, dtype: 'float32', shape }),
				);
				g.node('com.microsoft.MultiHeadAttention', [q!, k!, v!, null, null, null, pastKeys!, pastValues!], outputs, heads);
				const [y, presentKeys, presentValues] = outputs as [Value, Value, Value];
				return g.add(y, g.sumAll(g.mul(presentKeys, presentValues)));
			},
		},
	],
	'com.microsoft.RotaryEmbedding': [
		use(
			'RotaryEmbedding',
			[
				[2, 3, 8],
				[7, 2],
				[7, 2],
			],
			{ inputs: (g, [x, c, s]) => [x!, g.constant('int64', [2, 3], [0, 3, 6, 1, 1, 2]), c!, s!] },
		),
		use(
			'RotaryEmbedding',
			[
				[2, 2, 3, 4],
				[7, 2],
				[7, 2],
			],
			{
				attributes: { interleaved: 1 },
				inputs: (g, [x, c, s]) => [x!, g.constant('int64', [1], [2]), c!, s!],
			},
		),
		use(
			'RotaryEmbedding',
			[
				[2, 3, 12],
				[7, 2],
				[7, 2],
			],
			{
				attributes: { num_heads: 2, rotary_embedding_dim: 4 },
				inputs: (g, [x, c, s]) => [x!, g.constant('int64', [2, 3], [0, 3, 6, 1, 1, 2]), c!, s!],
			},
		),
	],
};
