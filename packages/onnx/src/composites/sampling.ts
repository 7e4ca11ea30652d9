import type { GraphBuilder } from '../builder.js';
import { positiveAxis, type Value } from '../graph.js';
import { type Expansion, type Expansions, sizes, slice, unsupported } from './composite.js';

const count = (from: number, to: number): number[] => Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);

/** Centres of n cells over [−1, 1], or n points from −1 to 1 when corners are aligned; one point lies at −1 then, as in the runtime. */
const coordinates = (n: number, aligned: boolean): number[] =>
	count(0, n).map((i) => (aligned ? (n === 1 ? -1 : -1 + (2 * i) / (n - 1)) : -1 + (2 * i + 1) / n));

// grid[n, place] = θ[n]·(x, y, 1), or (x, y, z, 1)
const affineGrid: Expansion = ({ g, input, constant, int }) => {
	const theta = input(0);
	const [batch = 1, , ...spatial] = constant(1);
	const places = spatial
		.map((n) => coordinates(n, int('align_corners', 0) === 1))
		.reduce<number[][]>((points, axis) => points.flatMap((point) => axis.map((c) => [...point, c])), [[]])
		.map((point) => [...point.toReversed(), 1]);
	const base = g.constant(theta.dtype, [1, places.length, spatial.length + 1], places.flat());
	return [g.reshape(g.matMul(base, g.transposed(theta)), [batch, ...spatial, spatial.length])];
};

// Mode "wrap" came with operator set 19: pick the entries along each axis instead.
const pad: Expansion = ({ g, input, optional, constant, text }) => {
	if (text('mode', 'constant') !== 'wrap') return null;
	const x = input(0);
	const pads = constant(1);
	const axes = optional(3) ? constant(3).map((axis) => positiveAxis(axis, x.shape.length)) : count(0, x.shape.length);
	return [
		axes.reduce((y, axis, i) => {
			const n = sizes(x)[axis] as number;
			const [before = 0, after = 0] = [pads[i], pads[i + axes.length]];
			if (before === 0 && after === 0) return y;
			const picked = count(-before, n + after).map((at) => ((at % n) + n) % n);
			return g.op('Gather', [y, g.ints(picked)], { axis }, { shape: sizes(y).map((size, a) => (a === axis ? picked.length : size)) });
		}, x),
	];
};

/** Padding before and after each axis, and the size of the result, of a window of `reach` cells that moves by `stride`. */
function windows(size: number, reach: number, stride: number, pads: readonly [number, number], auto: string, ceil: boolean) {
	if (auto === 'SAME_UPPER' || auto === 'SAME_LOWER') {
		const steps = Math.ceil(size / stride);
		const total = Math.max(0, (steps - 1) * stride + reach - size);
		const less = Math.floor(total / 2);
		return { before: auto === 'SAME_UPPER' ? less : total - less, after: auto === 'SAME_UPPER' ? total - less : less, steps };
	}
	const [before, after] = auto === 'VALID' ? [0, 0] : pads;
	const exact = (size + before + after - reach) / stride + 1;
	// A window that would begin in the padding at the end is left out.
	const steps = ceil && auto !== 'VALID' && (Math.ceil(exact) - 1) * stride < size + before ? Math.ceil(exact) : Math.floor(exact);
	return { before, after, steps };
}

// Dilations are of operator set 19: a convolution of each channel with ones, divided by how many cells each window counts.
const averagePool: Expansion = ({ g, input, int, ints, text, node }) => {
	const dilations = ints('dilations') ?? [];
	if (dilations.every((dilation) => dilation === 1)) return null;
	const x = input(0);
	const [, channels = 1, ...spatial] = sizes(x);
	const kernel = ints('kernel_shape');
	if (kernel === null) throw unsupported(node, 'lacks the attribute kernel_shape');
	const strides = ints('strides') ?? spatial.map(() => 1);
	const pads = ints('pads') ?? spatial.flatMap(() => [0, 0]);
	const withPads = int('count_include_pad', 0) === 1;
	const axes = spatial.map((size, i) => {
		const [k = 1, stride = 1, dilation = 1] = [kernel[i], strides[i], dilations[i]];
		const reach = (k - 1) * dilation + 1;
		const given = [pads[i] ?? 0, pads[i + spatial.length] ?? 0] as const;
		const { before, after, steps } = windows(size, reach, stride, given, text('auto_pad', 'NOTSET'), int('ceil_mode', 0) === 1);
		const [low, high] = withPads ? [-before, size + after] : [0, size];
		const counts = count(0, steps).map(
			(o) => count(0, k).filter((j) => o * stride - before + j * dilation >= low && o * stride - before + j * dilation < high).length,
		);
		return { before, steps, counts, end: Math.max(0, (steps - 1) * stride + reach - size - before) };
	});
	const steps = axes.map((axis) => axis.steps);
	const counts = axes.reduce<number[]>((all, axis) => all.flatMap((n) => axis.counts.map((m) => n * m)), [1]);
	const ones = g.constant(x.dtype, [channels, 1, ...kernel], new Array(channels * kernel.reduce((a, b) => a * b, 1)).fill(1));
	const sums = g.op(
		'Conv',
		[x, ones],
		{ group: channels, kernel_shape: kernel, strides, dilations, pads: [...axes.map((a) => a.before), ...axes.map((a) => a.end)] },
		{ shape: [...sizes(x).slice(0, 2), ...steps] },
	);
	return [g.div(sums, g.constant(x.dtype, [1, 1, ...steps], counts))];
};

// Each axis is cut, or filled with zeros, to the wanted size around its middle.
const centerCropPad: Expansion = ({ g, input, constant, ints }) => {
	const x = input(0);
	const axes = (ints('axes') ?? count(0, x.shape.length)).map((axis) => positiveAxis(axis, x.shape.length));
	const wanted = constant(1);
	const difference = (axis: number): number => {
		const i = axes.indexOf(axis);
		return i < 0 ? 0 : (wanted[i] as number) - (sizes(x)[axis] as number);
	};
	const cropped = axes.reduce((y, axis) => {
		const surplus = -difference(axis);
		const start = Math.floor(surplus / 2);
		return surplus <= 0 ? y : slice(g, y, axis, start, start + (sizes(x)[axis] as number) - surplus);
	}, x);
	const missing = x.shape.map((_, axis) => Math.max(0, difference(axis)));
	if (missing.every((n) => n === 0)) return [cropped === x ? g.op('Identity', [x]) : cropped];
	const pads = [...missing.map((n) => Math.floor(n / 2)), ...missing.map((n) => Math.ceil(n / 2))];
	return [g.op('Pad', [cropped, g.ints(pads)], {}, { shape: sizes(cropped).map((size, axis) => size + (missing[axis] as number)) })];
};

/** x moved along an axis by `by` places, with ones in the places that become free. */
function shifted(g: GraphBuilder, x: Value, axis: number, by: number, reverse: boolean): Value {
	const n = sizes(x)[axis] as number;
	const step = Math.min(by, n);
	const shape = sizes(x).map((size, i) => (i === axis ? step : size));
	const ones = g.expand(g.constant(x.dtype, [1], [1]), shape);
	return reverse ? g.concat([slice(g, x, axis, step, n), ones], axis) : g.concat([ones, slice(g, x, axis, 0, n - step)], axis);
}

// Products of 2, 4, 8 … neighbours, so that no element is divided by.
const cumulativeProduct: Expansion = ({ g, input, constant, int }) => {
	const x = input(0);
	const axis = positiveAxis(constant(1)[0] ?? 0, x.shape.length);
	const reverse = int('reverse', 0) === 1;
	const first = int('exclusive', 0) === 1 ? shifted(g, x, axis, 1, reverse) : x;
	const doublings = Math.ceil(Math.log2(Math.max(1, sizes(x)[axis] as number)));
	const product = count(0, doublings).reduce((y, i) => g.mul(y, shifted(g, y, axis, 2 ** i, reverse)), first);
	return [product === x ? g.op('Identity', [x]) : product];
};

// half_pixel_symmetric came with operator set 19; it is half_pixel wherever a size times its scale is a whole number
const resize: Expansion = ({ g, node, input, optional, output, constant, text, has }) => {
	const mode = 'coordinate_transformation_mode';
	if (text(mode, 'half_pixel') !== 'half_pixel_symmetric') return null;
	const given = optional(2);
	const scales = given?.shape[0] === 0 ? null : given;
	const whole = scales
		? sizes(input(0)).every((size, i) => Number.isInteger(size * (constant(2)[i] as number)))
		: text('keep_aspect_ratio_policy', 'stretch') === 'stretch';
	if (!whole || has('axes'))
		throw unsupported(node, `has the attribute ${mode} = "half_pixel_symmetric" with sizes that its scales do not meet exactly`);
	return [
		g.op(
			'Resize',
			node.inputs.map((_, i) => optional(i)),
			{ ...node.attributes, [mode]: 'half_pixel' },
			{ shape: output(0).shape },
		),
	];
};

// Bools can be reduced from operator set 20 on. Of no bools at all the largest is false and the smallest true, as 0 and 255 are for uint8.
const extremum: Expansion = ({ g, node, input, optional, output, dtype }) => {
	if (dtype(0) !== 'bool') return null;
	const [whole, axes] = [g.cast(input(0), 'uint8'), optional(1)];
	return [g.cast(g.op(node.op, axes ? [whole, axes] : [whole], node.attributes, { shape: output(0).shape }), 'bool')];
};

export const samplings: Expansions = {
	AffineGrid: affineGrid,
	Pad: pad,
	AveragePool: averagePool,
	CenterCropPad: centerCropPad,
	CumProd: cumulativeProduct,
	ReduceMax: extremum,
	ReduceMin: extremum,
	Resize: resize,
};
