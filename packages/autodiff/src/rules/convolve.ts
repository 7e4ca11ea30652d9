import { elementCount, type GraphBuilder, staticShape, type Value } from '@steelyard/onnx';
import { product, upTo } from '../axes.js';
import type { RuleContext, Rules } from '../rule.js';

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

/**
 * dW[m, c, k] = Σ over n, o of small[n, m, o]·large[n, c, o·stride + k·dilation − begin]: one product of matrices for each k, or else itself a Conv. On one
 * thread the products take half the time of the Conv, but k may have many values, and groups would need products of their own.
 */
function kernelGradient(g: GraphBuilder, large: Value, small: Value, window: Window, kernel: Value, group: number): Value {
	const taps = product(spatial(kernel));
	const byTap = group === 1 && taps <= MOST_TAPS;
	return byTap ? kernelGradientByTap(g, large, small, window, kernel) : kernelGradientByConv(g, large, small, window, kernel, group);
}

/** The most places in a kernel for which each k has its own nodes. */
const MOST_TAPS = 64;

/** [N, C, …] as [C, …, N], so that what one place of the kernel reads lies in long runs. */
function batchLast(g: GraphBuilder, x: Value): Value {
	const [batch, ...rest] = staticShape(x) as [number, ...number[]];
	const flat = g.reshape(x, [batch, product(rest)]);
	return g.reshape(g.transpose(flat, [1, 0]), [...rest, batch]);
}

const matrix = (g: GraphBuilder, x: Value): Value => g.reshape(x, [x.shape[0]!, elementCount(x) / Number(x.shape[0])]);

function kernelGradientByTap(g: GraphBuilder, large: Value, small: Value, { strides, dilations, begin }: Window, kernel: Value): Value {
	const [to, from, ...sizes] = staticShape(kernel) as [number, number, ...number[]];
	const [, , ...lengths] = staticShape(large);
	const reach = spatial(small).map((size, i) => (size - 1) * strides[i]! + 1);
	const end = sizes.map((size, i) => Math.max(0, (size - 1) * dilations[i]! + reach[i]! - lengths[i]! - begin[i]!));
	const turned = batchLast(g, large);
	const axes = sizes.map((_, i) => i + 1);
	const padded = [...begin, ...end].every((size) => size === 0)
		? turned
		: g.op(
				'Pad',
				[turned, g.ints([0, ...begin, 0, 0, ...end, 0])],
				{},
				{
					shape: [from, ...lengths.map((length, i) => begin[i]! + length + end[i]!), turned.shape.at(-1)!],
				},
			);
	const rows = matrix(g, batchLast(g, small));
	const taps = sizes.reduce<number[][]>((all, size) => all.flatMap((tap) => Array.from({ length: size }, (_, k) => [...tap, k])), [[]]);
	const products = taps.map((tap) => {
		const starts = tap.map((k, i) => k * dilations[i]!);
		const ends = starts.map((start, i) => start + reach[i]!);
		const inputs = [padded, ...[starts, ends, axes, strides].map((values) => g.ints(values))];
		const read = g.op('Slice', inputs, {}, { shape: [from, ...spatial(small), turned.shape.at(-1)!] });
		return g.gemm(rows, matrix(g, read), null, { transB: true });
	});
	return g.reshape(g.transpose(g.reshape(g.concat(products, 1), [to, taps.length, from]), [0, 2, 1]), staticShape(kernel));
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
const grid = (sizes: readonly number[]): number[][] =>
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
