import { elementCount, type GraphBuilder, GraphError, staticShape, type Value } from '@steelyard/onnx';
import { product, upTo } from '../axes.js';
import { choose, compare, withoutZeros } from '../choose.js';
import type { RuleContext, Rules } from '../rule.js';
import { grid, layDown, spatial, type Window, windowOf } from './convolve.js';
import { scatterAdd } from './index-of-values.js';

/** Batch and channels as one axis, for what treats every channel alike. */
const channelwise = (g: GraphBuilder, x: Value): Value => g.reshape(x, [Number(x.shape[0]) * Number(x.shape[1]), 1, ...spatial(x)]);

/** Adds dy to every element of its window. */
function overWindows(g: GraphBuilder, dy: Value, window: Window, kernel: readonly number[], x: Value): Value {
	const ones = g.expand(g.scalar(1, dy.dtype), [1, 1, ...kernel]);
	return g.reshape(layDown(g, channelwise(g, dy), ones, window, spatial(x), 1), x.shape);
}

/**
 * What AveragePool divides by, by axis and window: the elements of x in the window; with count_include_pad those of the padding too, but not what
 * ceil_mode adds beyond it.
 */
function windowSizes({ x, y, int, ints, text }: RuleContext, window: Window, kernel: readonly number[]): number[][] {
	const padded = int('count_include_pad', 0) === 1;
	const explicit = text('auto_pad', 'NOTSET') === 'NOTSET';
	return spatial(x).map((length, i) => {
		const end = explicit ? (ints('pads')?.[kernel.length + i] ?? 0) : kernel[i]!;
		const [low, high] = padded ? [-window.begin[i]!, length + end] : [0, length];
		return Array.from({ length: spatial(y)[i]! }, (_, position) => {
			const start = position * window.strides[i]! - window.begin[i]!;
			return Math.min(start + kernel[i]!, high) - Math.max(start, low);
		});
	});
}

const kernelOf = ({ ints }: RuleContext): readonly number[] => ints('kernel_shape') ?? [];

/** The windows of a pool. Refuses a last window that begins behind the input: there ORT's shape inference and its kernel disagree on how many there are. */
function poolWindow(context: RuleContext, kernel: readonly number[]): Window {
	const { node, x, y } = context;
	const window = windowOf(context, kernel, x, y);
	spatial(y).forEach((count, i) => {
		if ((count - 1) * window.strides[i]! >= spatial(x)[i]! + window.begin[i]!)
			throw new GraphError(
				'unsupported_model',
				`the last window of node "${node.name}" (${node.op}) begins behind its input; use ceil_mode 0 or smaller pads`,
				node.name,
			);
	});
	return window;
}

/** Whether the windows lie side by side from the first element of x on, so that each element belongs to at most one, and all of each lies within x. */
const sideBySide = ({ strides, dilations, begin }: Window, kernel: readonly number[], { x, y }: RuleContext): boolean =>
	kernel.every(
		(size, i) => strides[i] === size && (dilations[i] === 1 || size === 1) && begin[i] === 0 && spatial(y)[i]! * size <= spatial(x)[i]!,
	);

/** Each element of small as often as the window holds elements. */
function overEachWindow(g: GraphBuilder, small: Value, kernel: readonly number[]): Value {
	const scales = g.constant('float32', [kernel.length + 2], [1, 1, ...kernel]);
	const shape = [...small.shape.slice(0, 2), ...spatial(small).map((size, i) => size * kernel[i]!)];
	const nearest = { mode: 'nearest', nearest_mode: 'floor', coordinate_transformation_mode: 'asymmetric' };
	return g.op('Resize', [small, null, scales], nearest, { shape });
}

/**
 * dy at the first of the greatest elements of each window, for windows that lie side by side: those that equal y, and of them the one that comes first. ONNX Runtime
 * takes ten times as long for the indices of maxima as for the maxima, and adds up by indices slowly too; all of this takes a third of that time.
 */
function toFirstMaxima({ node, x, y, dy, g }: RuleContext, kernel: readonly number[]): Value {
	const covered = spatial(y).map((size, i) => size * kernel[i]!);
	const axes = covered.map((_, i) => i + 2);
	const whole = covered.every((size, i) => size === spatial(x)[i]);
	const shape = [...x.shape.slice(0, 2), ...covered];
	const within = whole ? x : g.op('Slice', [x, g.ints(axes.map(() => 0)), g.ints(covered), g.ints(axes)], {}, { shape });
	const one = (condition: Value): Value => g.cast(condition, x.dtype);
	// the number of elements of a window that do not come before this one
	const left = grid(covered).map((place) => product(kernel) - place.reduce((at, index, i) => at * kernel[i]! + (index % kernel[i]!), 0));
	const greatest = one(compare(g, 'Equal', within, overEachWindow(g, y, kernel)));
	const order = g.mul(greatest, g.constant(x.dtype, [1, 1, ...covered], left));
	const first = g.op('MaxPool', [order], node.attributes, { shape: y.shape });
	const dx = g.mul(one(compare(g, 'Equal', order, overEachWindow(g, first, kernel))), overEachWindow(g, dy, kernel));
	const missing = covered.map((size, i) => spatial(x)[i]! - size);
	return whole ? dx : g.op('Pad', [dx, g.ints([...x.shape.map(() => 0), 0, 0, ...missing])], {}, { shape: x.shape });
}

/** The products of one number from each list, row by row. */
const outer = (lists: readonly number[][]): number[] =>
	lists.reduce<number[]>((all, list) => all.flatMap((x) => list.map((y) => x * y)), [1]);

/** sign(x)·|x|^(p−1): what |x|^p grows by, over p. */
const powerSlope = (g: GraphBuilder, x: Value, p: number): Value =>
	p === 2 ? x : g.mul(g.op('Sign', [x]), g.op('Pow', [g.op('Abs', [x]), g.scalar(p - 1, x.dtype)]));
/** y^(p−1) of a norm; 1 for the norm of zeros alone, through which nothing passes. */
const normSlope = (g: GraphBuilder, y: Value, p: number): Value =>
	p === 2 ? withoutZeros(g, y) : g.op('Pow', [withoutZeros(g, y), g.scalar(p - 1, y.dtype)]);

export const pool: Rules = {
	// dx = Σ over the windows that hold x, of dy / size of the window
	AveragePool: (context) => {
		const { x, y, dy, g } = context;
		const kernel = kernelOf(context);
		const window = poolWindow(context, kernel);
		const sizes = outer(windowSizes(context, window, kernel));
		return [overWindows(g, g.div(dy, g.constant(dy.dtype, [1, 1, ...spatial(y)], sizes)), window, kernel, x)];
	},
	// dy goes to the element that MaxPool chose, also among equals
	MaxPool: (context) => {
		const { node, x, y, dy, g, outputs, int } = context;
		const window = poolWindow(context, kernelOf(context));
		if (x.dtype === 'float32' && sideBySide(window, kernelOf(context), context)) return [toFirstMaxima(context, kernelOf(context))];
		let indices = outputs[1] ?? null;
		if (indices === null || int('storage_order', 0) === 1) {
			indices = { name: `${dy.name}/indices of ${y.name}`, dtype: 'int64', shape: y.shape };
			const again = { ...y, name: `${dy.name}/maxima of ${y.name}` };
			g.node('MaxPool', [x], [again, indices], { ...node.attributes, storage_order: 0 });
		}
		const flat = (value: Value) => g.reshape(value, [elementCount(y)]);
		return [g.reshape(scatterAdd(g, [elementCount(x)], 0, flat(indices), flat(dy)), x.shape)];
	},
	// y = (Σ |x|^p)^(1/p): dx = sign(x)·|x|^(p−1) · Σ over windows of dy / y^(p−1)
	LpPool: (context) => {
		const { x, y, dy, g, int } = context;
		const kernel = kernelOf(context);
		const spread = overWindows(g, g.div(dy, normSlope(g, y, int('p', 2))), poolWindow(context, kernel), kernel, x);
		return [g.mul(powerSlope(g, x, int('p', 2)), spread)];
	},
	GlobalAveragePool: ({ x, y, dy, g }) => [g.expand(g.scale(elementCount(y) / elementCount(x), dy), staticShape(x))],
	// dy goes to the first of the greatest
	GlobalMaxPool: ({ x, y, dy, g }) => {
		const [batch, channels] = staticShape(x) as [number, number];
		const count = elementCount(x) / elementCount(y);
		const flat = g.reshape(x, [batch, channels, count]);
		const chosen = g.op('ArgMax', [flat], { axis: 2 }, { dtype: 'int64', shape: [batch, channels, 1] });
		const mask = compare(g, 'Equal', g.ints(upTo(count)), chosen);
		return [g.reshape(choose(g, mask, g.reshape(dy, [batch, channels, 1]), g.scalar(0, dy.dtype)), x.shape)];
	},
	// y = (Σ |x|^p)^(1/p) over all places
	GlobalLpPool: ({ x, y, dy, g, int }) => [g.mul(powerSlope(g, x, int('p', 2)), g.div(dy, normSlope(g, y, int('p', 2))))],
	// every entry of x stands where its index says, counted through the whole of y
	MaxUnpool: ({ x, second: indices, y, dy, g }) => {
		const read = [g.reshape(dy, [elementCount(y)]), g.reshape(indices, [elementCount(x)])];
		return [g.reshape(g.op('GatherElements', read, {}, { shape: [elementCount(x)] }), x.shape), null, null];
	},
};
