import { withoutAttributes } from '../attributes.js';
import { type Attributes, float as floatAttribute, type GraphBuilder } from '../builder.js';
import type { Value } from '../graph.js';
import { gelu, swish } from './activations.js';
import { type CompositeContext, compare, type Expansion, type Expansions, real, sizes, times, unsupported } from './composite.js';
import { rootMeanSquare } from './normalisations.js';

/** The last two axes swapped where `last`; the first axis put before these where `batch`: [m, …batch, k] as […batch, m, k]. */
function operand(g: GraphBuilder, x: Value, last: boolean, batch: boolean): Value {
	const axes = x.shape.map((_, axis) => axis);
	if (axes.length < 2 || !(last || batch)) return x;
	const ordered = batch ? [...axes.slice(1, -1), 0, axes.length - 1] : axes;
	const [a, b] = ordered.slice(-2) as [number, number];
	return g.transpose(x, [...ordered.slice(0, -2), ...(last ? [b, a] : [a, b])]);
}

const withTransposes: Expansion = ({ g, input, int, float }) => {
	const a = operand(g, input(0), int('transA', 0) === 1, int('transBatchA', 0) === 1);
	const b = operand(g, input(1), int('transB', 0) === 1, int('transBatchB', 0) === 1);
	if (a.shape.length === 1 || b.shape.length === 1) {
		const batch = a.shape.length === 1 ? b.shape.slice(0, -2) : a.shape.slice(0, -2);
		const [row, column] = [a.shape.length === 1 ? [] : a.shape.slice(-2, -1), b.shape.length === 1 ? [] : b.shape.slice(-1)];
		return [times(g, g.op('MatMul', [a, b], {}, { shape: [...batch, ...row, ...column] }), float('alpha', 1))];
	}
	return [times(g, g.matMul(a, b), float('alpha', 1))];
};

/** The activations of fused operators, with the names and defaults of their parameters in the order of `activation_params`. */
const fused: Readonly<Record<string, Readonly<Record<string, number>>>> = {
	Relu: {},
	Sigmoid: {},
	Tanh: {},
	Softplus: {},
	Softsign: {},
	Elu: { alpha: 1 },
	LeakyRelu: { alpha: 0.01 },
	ThresholdedRelu: { alpha: 1 },
	HardSigmoid: { alpha: 0.2, beta: 0.5 },
	Clip: { min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY },
};

/** x after the activation that the node names; `parameter` gives the number that the node has for a parameter of it. */
function activated(
	{ g, node, text }: CompositeContext,
	x: Value,
	parameter: (name: string, index: number, otherwise: number) => number,
): Value {
	const name = text('activation', '');
	if (name === '') return x;
	const defaults = Object.hasOwn(fused, name) ? fused[name] : undefined;
	if (defaults === undefined)
		throw unsupported(node, `has the attribute activation = "${name}", expected one of ${Object.keys(fused).join(', ')}`);
	const numbers = Object.entries(defaults).map(([key, otherwise], i) => [key, parameter(key, i, otherwise)] as const);
	if (name === 'Clip') return g.op('Clip', [x, ...numbers.map(([, bound]) => real(g, bound, x.dtype))]);
	return g.op(name, [x], Object.fromEntries(numbers.map(([key, value]) => [key, floatAttribute(value)])));
}

const fusedConv: Expansion = (context) => {
	const { g, node, input, optional, output, floats } = context;
	const bias = optional(2);
	const attributes: Attributes = withoutAttributes(node, 'activation', 'activation_params').attributes;
	const y = g.op('Conv', [input(0), input(1), ...(bias ? [bias] : [])], attributes, { shape: output(0).shape });
	const term = optional(3);
	return [activated(context, term ? g.add(y, term) : y, (_, i, otherwise) => floats('activation_params')?.[i] ?? otherwise)];
};

const fusedGemm: Expansion = (context) => {
	const { g, input, optional, int, float } = context;
	const [transA, transB] = [int('transA', 0) === 1, int('transB', 0) === 1];
	const y = g.gemm(input(0), input(1), optional(2), { transA, transB, alpha: float('alpha', 1), beta: float('beta', 1) });
	return [activated(context, y, (name, _, otherwise) => float(`activation_${name}`, otherwise))];
};

const layerNorm = (g: GraphBuilder, x: Value, scale: Value, bias: Value | null, epsilon: number): Value =>
	g.op('LayerNormalization', bias ? [x, scale, bias] : [x, scale], { axis: -1, epsilon: floatAttribute(epsilon) });

/** The sum of the inputs at `places`, of those that are there. */
function sumOf({ g, input, optional, wants, node }: CompositeContext, ...places: readonly number[]): Value {
	if (wants(1) || wants(2)) throw unsupported(node, 'gives mean or deviation, expected its first and fourth output alone');
	return places.flatMap((place) => optional(place) ?? []).reduce((sum, term) => g.add(sum, term), input(0));
}

// the sum of word, position and segment embeddings, normalised
const embeddings: Expansion = ({ g, input, optional, wants, float, int, node }) => {
	const ids = input(0);
	const [batch = 1, length = 1] = sizes(ids);
	const chosen = (table: Value, at: Value): Value =>
		g.op('Gather', [table, at], { axis: 0 }, { shape: [...at.shape, table.shape[1] as number] });
	const places =
		optional(8) ??
		g.constant(
			'int64',
			[1, length],
			Array.from({ length }, (_, i) => i),
		);
	const [segments, segmentTable] = [optional(1), optional(4)];
	const words = g.add(chosen(input(2), ids), chosen(input(3), places));
	const sum = segments && segmentTable ? g.add(words, chosen(segmentTable, segments)) : words;
	if (wants(1) && int('mask_index_type', 0) > 1) throw unsupported(node, 'has the attribute mask_index_type, expected none');
	const mask = optional(7);
	const counts = (): Value =>
		mask
			? g.reduceSum(g.cast(compare(g, 'Equal', mask, g.scalar(1, mask.dtype)), 'int32'), [1], false)
			: g.constant('int32', [batch], new Array(batch).fill(0));
	const y = layerNorm(g, sum, input(5), input(6), float('epsilon', 1e-12));
	return [y, wants(1) ? counts() : null, wants(2) ? sum : null];
};

/** Operators of ONNX Runtime's own domain, which its optimizer and its converters write. */
export const microsoft: Expansions = Object.fromEntries(
	Object.entries<Expansion>({
		FusedMatMul: withTransposes,
		TransposeMatMul: withTransposes,
		FusedConv: fusedConv,
		FusedGemm: fusedGemm,
		Gelu: ({ g, input }) => [gelu(g, input(0))],
		BiasGelu: ({ g, input }) => [gelu(g, g.add(input(0), input(1)))],
		FastGelu: ({ g, input, optional }) => {
			const bias = optional(1);
			return [gelu(g, bias ? g.add(input(0), bias) : input(0), 'tanh')];
		},
		QuickGelu: ({ g, input, float }) => [swish(g, input(0), float('alpha', 1.702))],
		SkipLayerNormalization: (context) => {
			const { g, input, optional, float } = context;
			const sum = sumOf(context, 1, 4);
			return [layerNorm(g, sum, input(2), optional(3), float('epsilon', 1e-12)), null, null, sum];
		},
		SkipSimplifiedLayerNormalization: (context) => {
			const { g, input, float } = context;
			const sum = sumOf(context, 1, 3);
			return [rootMeanSquare(g, sum, input(2), -1, float('epsilon', 1e-12))[0], null, null, sum];
		},
		EmbedLayerNormalization: embeddings,
	}).map(([name, expansion]) => [`com.microsoft.${name}`, expansion]),
);
