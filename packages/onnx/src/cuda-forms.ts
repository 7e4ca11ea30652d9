import { withBodies } from './bodies.js';
import type { GraphBuilder } from './builder.js';
import { type CompositeContext, compare, type Expansions, plus, real, sizes, slice, times, where } from './composites/composite.js';
import { expand } from './expand.js';
import { allValues, type Graph, OPSET, positiveAxis, type Value } from './graph.js';

/** A value by channel, `[C]`, to stand beside x `[N, C, …]`. */
const byChannel = (g: GraphBuilder, x: Value, value: Value): Value =>
	g.reshape(value, [
		1,
		sizes(x)[1] as number,
		...sizes(x)
			.slice(2)
			.map(() => 1),
	]);

/**
 * Batch normalisation on the statistics of the batch, which the provider refuses: y = (x − mean)/√(variance + ε)·scale + bias, and the running statistics
 * momentum·(what came in) + (1 − momentum)·(that of the batch). Its parts are those of the gradient.
 */
function batchNormalization({ g, input, int, float, wants }: CompositeContext): Array<Value | null> | null {
	if (int('training_mode', 0) === 0) return null;
	const x = input(0);
	const axes = sizes(x).flatMap((_, axis) => (axis === 1 ? [] : [axis]));
	const mean = g.reduce('ReduceMean', x, axes);
	const centred = g.sub(x, mean);
	const variance = g.reduce('ReduceMean', g.mul(centred, centred), axes);
	const inverse = g.div(real(g, 1, x.dtype), g.op('Sqrt', [plus(g, variance, float('epsilon', 1e-5))]));
	const y = g.add(g.mul(g.mul(centred, inverse), byChannel(g, x, input(1))), byChannel(g, x, input(2)));
	const momentum = float('momentum', 0.9);
	const running = (before: Value, batch: Value): Value =>
		g.add(times(g, before, momentum), g.reshape(times(g, batch, 1 - momentum), sizes(before)));
	return [y, wants(1) ? running(input(3), mean) : null, wants(2) ? running(input(4), variance) : null];
}

/** What a transposed convolution cuts off before and behind by axis; null where its output is larger than what it lays down. */
function cutsOf({ input, output, ints, text }: CompositeContext, padding: readonly number[]): Array<[begin: number, end: number]> | null {
	const auto = text('auto_pad', 'NOTSET');
	const [, , ...kernel] = sizes(input(1));
	const pads = ints('pads');
	if (auto === 'NOTSET' && ints('output_shape') === null) return kernel.map((_, i) => [pads?.[i] ?? 0, pads?.[kernel.length + i] ?? 0]);
	const [, , ...lengths] = sizes(output(0));
	const totals = kernel.map((size, i) => {
		const covered = ((sizes(input(0))[i + 2] as number) - 1) * (ints('strides')?.[i] ?? 1) + (size - 1) * (ints('dilations')?.[i] ?? 1) + 1;
		return covered + (padding[i] as number) - (lengths[i] as number);
	});
	if (totals.some((total) => total < 0)) return null;
	return totals.map((total) =>
		auto === 'SAME_UPPER' ? [Math.floor(total / 2), Math.ceil(total / 2)] : [Math.ceil(total / 2), Math.floor(total / 2)],
	);
}

/** A transposed convolution that cuts off more on one side than on the other, as one that cuts the smaller of both off on either side, and a Slice. */
function convTranspose(context: CompositeContext): Value[] | null {
	const { g, input, optional, output, int, ints, text } = context;
	const y = output(0);
	const [batch, channels, ...lengths] = sizes(y) as [number, number, ...number[]];
	const padding = ints('output_padding') ?? lengths.map(() => 0);
	const cuts = cutsOf(context, padding);
	const given = text('auto_pad', 'NOTSET') === 'NOTSET' && ints('output_shape') === null;
	if (cuts === null || (given && cuts.every(([begin, end]) => begin === end))) return null;
	const both = cuts.map(([begin, end]) => Math.min(begin, end));
	const attributes = {
		...{ group: int('group', 1), pads: [...both, ...both], output_padding: padding },
		...{ strides: ints('strides') ?? both.map(() => 1), dilations: ints('dilations') ?? both.map(() => 1) },
	};
	const full = lengths.map((length, i) => length + Math.abs((cuts[i]?.[0] as number) - (cuts[i]?.[1] as number)));
	const bias = optional(2);
	// the provider reads a bias that is left out by an empty name, and crashes
	const inputs = [input(0), input(1), ...(bias === null ? [] : [bias])];
	const wide = g.op('ConvTranspose', inputs, attributes, { shape: [batch, channels, ...full] });
	const starts = cuts.map(([begin], i) => begin - (both[i] as number));
	const ends = starts.map((start, i) => start + (lengths[i] as number));
	return [g.op('Slice', [wide, g.ints(starts), g.ints(ends), g.ints(starts.map((_, i) => i + 2))], {}, { shape: sizes(y) })];
}

/** |x|^p */
const magnitude = (g: GraphBuilder, x: Value, p: number): Value =>
	p === 2 ? g.mul(x, x) : p === 1 ? g.op('Abs', [x]) : g.op('Pow', [g.op('Abs', [x]), real(g, p, x.dtype)]);
/** x^(1/p) of x ≥ 0 */
const root = (g: GraphBuilder, x: Value, p: number): Value =>
	p === 2 ? g.op('Sqrt', [x]) : p === 1 ? x : g.op('Pow', [x, real(g, 1 / p, x.dtype)]);

/** (Σ |x|^p)^(1/p) over windows: an average times the places of a window. */
function lpPool({ g, input, output, int, ints, text }: CompositeContext): Value[] | null {
	const kernel = ints('kernel_shape') ?? [];
	const auto = text('auto_pad', 'NOTSET');
	if ((ints('dilations') ?? []).some((step) => step !== 1) || int('ceil_mode', 0) === 1) return null;
	const [x, p] = [input(0), int('p', 2)];
	const window = {
		...{ kernel_shape: kernel, strides: ints('strides') ?? kernel.map(() => 1), count_include_pad: 1 },
		...(auto === 'NOTSET' ? { pads: ints('pads') ?? [...kernel, ...kernel].map(() => 0) } : { auto_pad: auto }),
	};
	const mean = g.op('AveragePool', [magnitude(g, x, p)], window, { shape: output(0).shape });
	return [
		root(
			g,
			times(
				g,
				mean,
				kernel.reduce((all, size) => all * size, 1),
			),
			p,
		),
	];
}

/** The most parts of a Split or Concat whose places the provider hands to its kernel as arguments, if they are equal; it uploads tables for others, in every step. */
const MOST_EQUAL = 32;
/** Up to so many cuts are fewer calls than one Split with its four tables. */
const MOST_CUTS = 8;

const areEqual = (parts: readonly number[]): boolean => parts.every((part) => part === parts[0]);

/** A few unequal parts, each cut by itself. */
function split({ g, node, input, output }: CompositeContext): Value[] | null {
	if (node.inputs[1] === undefined || node.outputs.length > MOST_CUTS) return null;
	const x = input(0);
	const attribute = node.attributes['axis'];
	const axis = positiveAxis(attribute?.type === 'int' ? attribute.value : 0, x.shape.length);
	const parts = node.outputs.map((_, i) => sizes(output(i))[axis] as number);
	if (areEqual(parts)) return null;
	let start = 0;
	return parts.map((size) => {
		start += size;
		return slice(g, x, axis, start - size, start);
	});
}

const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));

/** Unequal parts that are multiples of one size, cut to that size first. */
function concat({ g, node, input, output, int }: CompositeContext): Value[] | null {
	const values = node.inputs.map((_, i) => input(i));
	const axis = positiveAxis(int('axis', 0), output(0).shape.length);
	const parts = values.map((value) => sizes(value)[axis] as number);
	if (areEqual(parts) || parts.includes(0)) return null;
	const size = parts.reduce(divisor);
	const count = parts.reduce((sum, part) => sum + part / size, 0);
	if (count > MOST_EQUAL) return null;
	return [
		g.concat(
			values.flatMap((value, i) =>
				parts[i] === size ? [value] : g.split(value, Array<number>((parts[i] as number) / size).fill(size), axis),
			),
			axis,
		),
	];
}

/** How operators without a CUDA kernel in ONNX Runtime, or with one that works less well, are written by others; null where a node stays. */
const cudaForms: Expansions = {
	BatchNormalization: batchNormalization,
	ConvTranspose: convTranspose,
	LpPool: lpPool,
	GlobalLpPool: ({ g, input, int }) => {
		const [x, p] = [input(0), int('p', 2)];
		const axes = sizes(x).flatMap((_, axis) => (axis < 2 ? [] : [axis]));
		return [root(g, g.reduceSum(magnitude(g, x, p), axes), p)];
	},
	// α·(exp(x/α) − 1) below 0
	Celu: ({ g, input, float }) => {
		const alpha = float('alpha', 1);
		return [times(g, g.op('Elu', [times(g, input(0), 1 / alpha)]), alpha)];
	},
	// (eˣ − e⁻ˣ)/2 has no digits left near 0; there it is 2t/(1 − t²) with t = tanh(x/2)
	Sinh: ({ g, input }) => {
		const x = input(0);
		const half = g.op('Tanh', [times(g, x, 0.5)]);
		const near = g.div(times(g, half, 2), g.sub(real(g, 1, x.dtype), g.mul(half, half)));
		const far = times(g, g.sub(g.exp(x), g.exp(g.neg(x))), 0.5);
		return [where(g, compare(g, 'Less', g.op('Abs', [x]), real(g, 1, x.dtype)), near, far, sizes(x))];
	},
	Cosh: ({ g, input }) => [times(g, g.add(g.exp(input(0)), g.exp(g.neg(input(0)))), 0.5)],
	Tan: ({ g, input }) => [g.div(g.op('Sin', [input(0)]), g.op('Cos', [input(0)]))],
	Mean: ({ g, node, input, output }) => {
		const values = node.inputs.map((_, i) => input(i));
		return [times(g, values.length === 1 ? (values[0] as Value) : g.op('Sum', values, {}, { shape: output(0).shape }), 1 / values.length)];
	},
	Split: split,
	Concat: concat,
};

/**
 * The graph, of the working operator set and with the types of its values, in operators that the CUDA provider of ONNX Runtime has kernels for. A node whose sizes only a
 * run knows stays as it is. Results are equal but for rounding.
 */
export function withCudaForms(graph: Graph): Graph {
	const nodes = graph.nodes.map((node) => withBodies(node, withCudaForms));
	return expand({ graph: { ...graph, nodes }, opset: OPSET }, allValues(graph), cudaForms).model.graph;
}
