import { elementCount, type GraphBuilder, staticShape, type Value } from '@steelyard/onnx';
import { product, upTo } from '../axes.js';
import type { RuleContext, Rules } from '../rule.js';
import { sumsOfSlices } from './index-of-values.js';

/** How a kernel slides: by spatial axis, its strides, its dilations, and the padding before the first element. */
export type Window = { readonly strides: readonly number[]; readonly dilations: readonly number[]; readonly begin: readonly number[] };

/** The sizes behind batch and channels. */
export const spatial = (value: Value): number[] => staticShape(value).slice(2);

/**
 * The window of a convolution or pooling node, auto_pad resolved. `large` is the side that it slides over, `small` the side with one element per position:
 * input and output of Conv and the pools, output and input of ConvTranspose.
 */
export function windowOf({ ints, text }: RuleContext, kernel: readonly number[], large: Value, small: Value): Window {
	const strides = ints('strides') ?? kernel.map(() => 1);
	const dilations = ints('dilations') ?? kernel.map(() => 1);
	const lengths = spatial(large);
	const covered = spatial(small).map((size, i) => (size - 1) * strides[i]! + (kernel[i]! - 1) * dilations[i]! + 1);
	const total = covered.map((size, i) => Math.max(0, size + (ints('output_padding')?.[i] ?? 0) - lengths[i]!));
	const begin: Record<string, () => readonly number[]> = {
		VALID: () => kernel.map(() => 0),
		SAME_UPPER: () => total.map((padding) => Math.floor(padding / 2)),
		SAME_LOWER: () => total.map((padding) => Math.ceil(padding / 2)),
		// ConvTranspose with output_shape derives its pads from it
		NOTSET: () =>
			ints('output_shape')
				? total.map((padding) => Math.ceil(padding / 2))
				: (ints('pads')?.slice(0, kernel.length) ?? kernel.map(() => 0)),
	};
	return { strides, dilations, begin: begin[text('auto_pad', 'NOTSET')]!() };
}

/** Conv of x [N, C, …] with kernel [M, C/group, …] whose output has exactly `sizes`: padded at the end, or cut, as needed. */
function slide(
	g: GraphBuilder,
	x: Value,
	kernel: Value,
	{ strides, dilations, begin }: Window,
	sizes: readonly number[],
	group: number,
): Value {
	const lengths = spatial(x);
	const reach = spatial(kernel).map((size, i) => (size - 1) * dilations[i]! + 1);
	const end = sizes.map((size, i) => Math.max(0, (size - 1) * strides[i]! + reach[i]! - lengths[i]! - begin[i]!));
	const full = sizes.map((_, i) => Math.floor((begin[i]! + lengths[i]! + end[i]! - reach[i]!) / strides[i]!) + 1);
	const shape = [x.shape[0]!, kernel.shape[0]!];
	const y = g.op('Conv', [x, kernel], { strides, dilations, pads: [...begin, ...end], group }, { shape: [...shape, ...full] });
	if (full.every((size, i) => size === sizes[i])) return y;
	const axes = sizes.map((_, i) => i + 2);
	return g.op('Slice', [y, g.ints(axes.map(() => 0)), g.ints(sizes), g.ints(axes)], {}, { shape: [...shape, ...sizes] });
}

/**
 * The same as layDown, of one group, for few positions: the products of all images with the kernel are one product of matrices, where ConvTranspose takes one for each
 * image, which is slow where an image has few positions. Then each place of the result adds up what was laid upon it.
 */
function layDownTogether(g: GraphBuilder, x: Value, kernel: Value, { strides, dilations, begin }: Window, sizes: readonly number[]): Value {
	const [batch, from, ...positions] = staticShape(x) as [number, number, ...number[]];
	const [, to, ...kernelSizes] = staticShape(kernel) as [number, number, ...number[]];
	const [count, places] = [product(positions), product(kernelSizes)];
	const rows = g.reshape(g.transpose(g.reshape(x, [batch * from, count]), [1, 0]), [count * batch, from]);
	const products = g.gemm(rows, g.reshape(kernel, [from, to * places]));
	const byPlace = g.transpose(g.reshape(products, [count * batch * to, places]), [1, 0]);
	const summands: number[][] = upTo(product(sizes)).map(() => []);
	grid(kernelSizes).forEach((k, place) => {
		grid(positions).forEach((position, at) => {
			const on = position.map((o, i) => o * strides[i]! + k[i]! * dilations[i]! - begin[i]!);
			if (on.every((index, i) => index >= 0 && index < sizes[i]!))
				summands[on.reduce((flat, index, i) => flat * sizes[i]! + index, 0)]!.push(place * count + at);
		});
	});
	const sums = sumsOfSlices(g, g.reshape(byPlace, [1, places * count, batch * to]), summands);
	return g.reshape(g.transpose(g.reshape(sums, [product(sizes), batch * to]), [1, 0]), [batch, to, ...sizes]);
}

/** Up to so many positions of an image layDownTogether is faster, for many channels. */
const FEW_POSITIONS = 16;
const MANY_CHANNELS = 64;

/** ConvTranspose of x [N, C, …] with kernel [C, M/group, …] whose output has exactly `sizes`: every element of x, times the kernel, is added to the places around it. */
export function layDown(
	g: GraphBuilder,
	x: Value,
	kernel: Value,
	{ strides, dilations, begin }: Window,
	sizes: readonly number[],
	group: number,
): Value {
	const kernelSizes = spatial(kernel);
	const few =
		product(spatial(x)) <= FEW_POSITIONS &&
		Number(x.shape[0]) > 1 &&
		Math.min(Number(kernel.shape[0]), Number(kernel.shape[1])) >= MANY_CHANNELS;
	if (few && group === 1) return layDownTogether(g, x, kernel, { strides, dilations, begin }, sizes);
	const missing = spatial(x).map(
		(size, i) => sizes[i]! + begin[i]! - ((size - 1) * strides[i]! + (kernelSizes[i]! - 1) * dilations[i]! + 1),
	);
	return g.op(
		'ConvTranspose',
		[x, kernel],
		{
			strides,
			dilations,
			group,
			pads: [...begin, ...missing.map((size) => Math.max(0, -size))],
			output_padding: missing.map((size) => Math.max(0, size)),
		},
		{ shape: [x.shape[0]!, Number(kernel.shape[1]) * group, ...sizes] },
	);
}

/** Swaps batch and channels. */
const swapped = (g: GraphBuilder, x: Value): Value => g.transpose(x, [1, 0, ...x.shape.slice(2).map((_, i) => i + 2)]);

/** dW[m, c, k] = Σ over n, o of small[n, m, o]·large[n, c, o·stride + k·dilation − begin]: a product of matrices, or itself a Conv for groups and large kernels. */
function kernelGradient(g: GraphBuilder, large: Value, small: Value, window: Window, kernel: Value, group: number): Value {
	return group === 1 && product(spatial(kernel)) <= MOST_TAPS
		? kernelGradientByProduct(g, large, small, window, kernel)
		: kernelGradientByConv(g, large, small, window, kernel, group);
}

/** The most places in a kernel of which each may have nodes of its own. */
const MOST_TAPS = 64;

/** [N, C, …] as [C, …, N], so that what one place of the kernel reads lies in long runs. */
function batchLast(g: GraphBuilder, x: Value): Value {
	const [batch, ...rest] = staticShape(x) as [number, ...number[]];
	const flat = g.reshape(x, [batch, product(rest)]);
	return g.reshape(g.transpose(flat, [1, 0]), [...rest, batch]);
}

const matrix = (g: GraphBuilder, x: Value): Value => g.reshape(x, [x.shape[0]!, elementCount(x) / Number(x.shape[0])]);

/** The most numbers that are copied for one product: 16 MiB. */
const MOST_COPIED = 2 ** 22;

/**
 * dW as the product of small [M, o·n] and of what each place of the kernel reads of large, [C·k, o·n]. The places are taken a few at a time where all of them would be
 * too many numbers.
 */
function kernelGradientByProduct(g: GraphBuilder, large: Value, small: Value, { strides, dilations, begin }: Window, kernel: Value): Value {
	const [to, from, ...sizes] = staticShape(kernel) as [number, number, ...number[]];
	const [batch, , ...lengths] = staticShape(large) as [number, number, ...number[]];
	const reach = spatial(small).map((size, i) => (size - 1) * strides[i]! + 1);
	const end = sizes.map((size, i) => Math.max(0, (size - 1) * dilations[i]! + reach[i]! - lengths[i]! - begin[i]!));
	const turned = batchLast(g, large);
	const padded = lengths.map((length, i) => begin[i]! + length + end[i]!);
	const whole = [...begin, ...end].every((size) => size === 0)
		? turned
		: g.op('Pad', [turned, g.ints([0, ...begin, 0, 0, ...end, 0])], {}, { shape: [from, ...padded, batch] });
	// along the last axis each place of the kernel reads a slice; along the others it reads rows of these slices
	const last = sizes.length - 1;
	const [lead, run] = [product(padded.slice(0, last)), spatial(small)[last]! * batch];
	const slices = upTo(sizes[last]!).map((k) => {
		const [start, stride] = [k * dilations[last]!, strides[last]!];
		const inputs = [whole, ...[start, start + reach[last]!, last + 1, stride].map((value) => g.ints([value]))];
		const slice = g.op('Slice', inputs, {}, { shape: [from, ...padded.slice(0, last), spatial(small)[last]!, batch] });
		return g.reshape(slice, [from, lead, run]);
	});
	const rows = slices.length === 1 ? slices[0]! : g.concat(slices, 1);
	const positions = grid(spatial(small).slice(0, last));
	const readBy = (tap: readonly number[]): number[] =>
		positions.map(
			(position) => position.reduce((at, o, i) => at * padded[i]! + o * strides[i]! + tap[i]! * dilations[i]!, 0) + tap[last]! * lead,
		);
	const taps = grid(sizes);
	const atOnce = Math.max(1, Math.floor(MOST_COPIED / (from * positions.length * run)));
	const results = matrix(g, batchLast(g, small));
	// it is faster to multiply by the shorter of the two, turned around; but the result then has to be turned back
	const turnBack = 4 * positions.length * run >= to * from;
	const products = upTo(Math.ceil(taps.length / atOnce)).map((part) => {
		const some = taps.slice(part * atOnce, (part + 1) * atOnce);
		const read = g.op('Gather', [rows, g.ints(some.flatMap(readBy))], { axis: 1 }, { shape: [from, some.length * positions.length, run] });
		const columns = g.reshape(read, [from * some.length, positions.length * run]);
		return turnBack
			? g.reshape(g.gemm(columns, results, null, { transB: true }), [from, some.length, to])
			: g.reshape(g.gemm(results, columns, null, { transB: true }), [to, from, some.length]);
	});
	const joined = products.length === 1 ? products[0]! : g.concat(products, turnBack ? 1 : 2);
	return g.reshape(turnBack ? g.transpose(g.reshape(joined, [from * taps.length, to]), [1, 0]) : joined, staticShape(kernel));
}

/** A Conv of large over small, with batch and channels, and strides and dilations, in exchanged roles. In groups, the batch stands among the channels of each group. */
function kernelGradientByConv(g: GraphBuilder, large: Value, small: Value, window: Window, kernel: Value, group: number): Value {
	const [batch, channels, ...lengths] = staticShape(large) as [number, number, ...number[]];
	const grouped = g.reshape(large, [batch, group, channels / group, ...lengths]);
	const byChannel = g.transpose(grouped, [2, 1, 0, ...lengths.map((_, i) => i + 3)]);
	const x = g.reshape(byChannel, [channels / group, group * batch, ...lengths]);
	const exchanged = { strides: window.dilations, dilations: window.strides, begin: window.begin };
	return swapped(g, slide(g, x, swapped(g, small), exchanged, spatial(kernel), group));
}

const biasGradient = (g: GraphBuilder, dy: Value): Value => g.reduceSum(dy, [0, ...dy.shape.slice(2).map((_, i) => i + 2)], false);

/** All places of a grid of `sizes`, row by row. */
export const grid = (sizes: readonly number[]): number[][] =>
	sizes.reduce<number[][]>((all, size) => all.flatMap((place) => upTo(size).map((i) => [...place, i])), [[]]);

export const convolve: Rules = {
	Conv: (context) => {
		const { x, second: kernel, third: bias, y, dy, g, needs, int } = context;
		const group = int('group', 1);
		const window = windowOf(context, spatial(kernel), x, y);
		return [
			needs[0] ? layDown(g, dy, kernel, window, spatial(x), group) : null,
			needs[1] ? kernelGradient(g, x, dy, window, kernel, group) : null,
			bias && needs[2] ? biasGradient(g, dy) : null,
		];
	},
	ConvTranspose: (context) => {
		const { x, second: kernel, third: bias, y, dy, g, needs, int } = context;
		const group = int('group', 1);
		const window = windowOf(context, spatial(kernel), y, x);
		return [
			needs[0] ? slide(g, dy, kernel, window, spatial(x), group) : null,
			needs[1] ? kernelGradient(g, dy, x, window, kernel, group) : null,
			bias && needs[2] ? biasGradient(g, dy) : null,
		];
	},
	// every entry of x was added to one entry of the image, or to the padding around it: it gets back the gradient of that
	Col2Im: ({ x, dy, g, ints, constant }) => {
		const [batch, channels, ...image] = staticShape(dy) as [number, number, ...number[]];
		const block = constant(2);
		const strides = ints('strides') ?? block.map(() => 1);
		const dilations = ints('dilations') ?? block.map(() => 1);
		const pads = ints('pads') ?? [...block, ...block].map(() => 0);
		const positions = image.map((size, i) => {
			const reach = (block[i]! - 1) * dilations[i]! + 1;
			return Math.floor((size + pads[i]! + pads[block.length + i]! - reach) / strides[i]!) + 1;
		});
		const cells = product(image);
		// first by place in the block, then by position of the block; `cells` stands for the padding
		const places = grid(block).flatMap((k) =>
			grid(positions).map((p) => {
				const at = p.map((position, i) => position * strides[i]! + k[i]! * dilations[i]! - pads[i]!);
				return at.every((place, i) => place >= 0 && place < image[i]!) ? at.reduce((cell, place, i) => cell * image[i]! + place, 0) : cells;
			}),
		);
		const padded = g.op(
			'Pad',
			[g.reshape(dy, [batch, channels, cells]), g.ints([0, 0, 0, 0, 0, 1])],
			{},
			{ shape: [batch, channels, cells + 1] },
		);
		return [
			g.reshape(g.op('Gather', [padded, g.ints(places)], { axis: 2 }, { shape: [batch, channels, places.length] }), x.shape),
			null,
			null,
		];
	},
};
