import { elementCount, type GraphBuilder, GraphError, staticShape, type Value } from '@steelyard/onnx';
import type { RuleContext, Rules } from '../rule.js';
import { layDown, spatial, type Window, windowOf } from './convolve.js';

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
function windowSizes({ node, a, y, int, ints }: RuleContext, window: Window, kernel: readonly number[]): number[][] {
	const padded = int('count_include_pad', 0) === 1;
	const explicit = String(node.attributes['auto_pad']?.value ?? 'NOTSET') === 'NOTSET';
	return spatial(a).map((length, i) => {
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
	const { node, a, y } = context;
	const window = windowOf(context, kernel, a, y);
	spatial(y).forEach((count, i) => {
		if ((count - 1) * window.strides[i]! >= spatial(a)[i]! + window.begin[i]!)
			throw new GraphError(
				'unsupported_model',
				`the last window of node "${node.name}" (${node.op}) begins behind its input; use ceil_mode 0 or smaller pads`,
				node.name,
			);
	});
	return window;
}

/** The products of one number from each list, row by row. */
const outer = (lists: readonly number[][]): number[] =>
	lists.reduce<number[]>((all, list) => all.flatMap((x) => list.map((y) => x * y)), [1]);

export const pool: Rules = {
	// dx = Σ over the windows that hold x, of dy / size of the window
	AveragePool: (context) => {
		const { a, y, dy, g } = context;
		const kernel = kernelOf(context);
		const window = poolWindow(context, kernel);
		const sizes = outer(windowSizes(context, window, kernel));
		return [overWindows(g, g.div(dy, g.constant(dy.dtype, [1, 1, ...spatial(y)], sizes)), window, kernel, a)];
	},
	// dy goes to the element that MaxPool chose, also among equals
	MaxPool: (context) => {
		const { node, a, y, dy, g, outputs, int } = context;
		poolWindow(context, kernelOf(context));
		let indices = outputs[1] ?? null;
		if (indices === null || int('storage_order', 0) === 1) {
			indices = { name: `${dy.name}/indices of ${y.name}`, dtype: 'int64', shape: y.shape };
			const again = { ...y, name: `${dy.name}/maxima of ${y.name}` };
			g.node('MaxPool', [a], [again, indices], { ...node.attributes, storage_order: 0 });
		}
		const zeros = g.expand(g.scalar(0, dy.dtype), [elementCount(a)]);
		const flat = (value: Value) => g.reshape(value, [elementCount(y)]);
		return [g.reshape(g.op('ScatterElements', [zeros, flat(indices), flat(dy)], { axis: 0, reduction: 'add' }), a.shape)];
	},
	// y = (Σ |x|^p)^(1/p): dx = sign(x)·|x|^(p−1) · Σ over windows of dy / y^(p−1)
	LpPool: (context) => {
		const { a, y, dy, g, int } = context;
		const kernel = kernelOf(context);
		const raised = (x: Value): Value => g.op('Pow', [x, g.scalar(int('p', 2) - 1, x.dtype)]);
		const zero = g.op('Equal', [y, g.scalar(0, y.dtype)], {}, { dtype: 'bool' });
		// a window of zeros alone passes nothing on: sign(x) = 0
		const divisor = g.op('Where', [zero, g.scalar(1, y.dtype), raised(y)], {}, { dtype: y.dtype });
		const spread = overWindows(g, g.div(dy, divisor), poolWindow(context, kernel), kernel, a);
		return [g.mul(g.mul(g.op('Sign', [a]), raised(g.op('Abs', [a]))), spread)];
	},
	GlobalAveragePool: ({ a, y, dy, g }) => [g.expand(g.scale(elementCount(y) / elementCount(a), dy), staticShape(a))],
	// dy goes to the first of the greatest
	GlobalMaxPool: ({ a, y, dy, g }) => {
		const [batch, channels] = staticShape(a) as [number, number];
		const count = elementCount(a) / elementCount(y);
		const flat = g.reshape(a, [batch, channels, count]);
		const chosen = g.op('ArgMax', [flat], { axis: 2 }, { dtype: 'int64', shape: [batch, channels, 1] });
		const positions = g.constant(
			'int64',
			[count],
			Array.from({ length: count }, (_, i) => i),
		);
		const mask = g.op('Equal', [positions, chosen], {}, { dtype: 'bool', shape: flat.shape });
		const dx = g.op(
			'Where',
			[mask, g.reshape(dy, [batch, channels, 1]), g.scalar(0, dy.dtype)],
			{},
			{ dtype: dy.dtype, shape: flat.shape },
		);
		return [g.reshape(dx, a.shape)];
	},
};
