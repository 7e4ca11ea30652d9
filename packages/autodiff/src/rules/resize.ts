import { type GraphBuilder, GraphError, positiveAxis, staticShape, type Value } from '@steelyard/onnx';
import { upTo } from '../axes.js';
import { cubicWeights } from '../cubic.js';
import type { RuleContext, Rules } from '../rule.js';
import { alongAxis, type Matrix, transposed } from './along-axis.js';

/** One axis of a Resize: its sizes before and after, the factor between them, and the part of the input that is read (0 to 1). */
type Axis = { from: number; to: number; scale: number; start: number; end: number };

/** A number as the runtime holds it: its coordinates are float32, and which entry is nearest may depend on their last bit. */
const f = Math.fround;

/** Where an entry of the output stands on the input's axis, by `coordinate_transformation_mode`. */
const coordinates: Readonly<Record<string, (i: number, axis: Axis) => number>> = {
	half_pixel: (i, { scale }) => f(f(f(i + 0.5) / scale) - 0.5),
	pytorch_half_pixel: (i, { scale, to }) => (to > 1 ? f(f(f(i + 0.5) / scale) - 0.5) : 0),
	half_pixel_symmetric: (i, { from, to, scale }) => f((from / 2) * (1 - f(to / f(scale * from))) + (i + 0.5) / scale - 0.5),
	asymmetric: (i, { scale }) => f(i / scale),
	align_corners: (i, { from, to }) => (to === 1 ? 0 : f(f(i * (from - 1)) / (to - 1))),
	tf_half_pixel_for_nn: (i, { scale }) => f(f(i + 0.5) / scale),
	tf_crop_and_resize: (i, { from, to, start, end }) =>
		to > 1 ? f(f(start * (from - 1)) + f(f(f(i * f(end - start)) * (from - 1)) / (to - 1))) : f(0.5 * f(start + end) * (from - 1)),
};

/** The entry that a coordinate between two of them takes, by `nearest_mode`. */
const nearest: Readonly<Record<string, (x: number) => number>> = {
	round_prefer_floor: (x) => Math.ceil(x - 0.5),
	round_prefer_ceil: (x) => Math.floor(x + 0.5),
	floor: Math.floor,
	ceil: Math.ceil,
};

/** The weight of each entry of the input, by its place; some places may lie outside of the input. */
type Weights = ReadonlyMap<number, number>;

const linearAt = (x: number): Weights => {
	const left = Math.floor(x);
	return new Map([
		[left, left + 1 - x],
		[left + 1, x - left],
	]);
};

const cubicAt = (x: number, a: number): Weights => {
	const second = Math.floor(x);
	const t = x - second;
	return new Map(cubicWeights(a).map(([c0, c1, c2, c3], i) => [second - 1 + i, c0! + t * (c1! + t * (c2! + t * c3!))]));
};

/** The weights of a filter of half width `reach`, stretched over all entries that an output entry of a smaller axis stands for. */
const filtered = (x: number, scale: number, reach: number, filter: (distance: number) => number): Weights => {
	const stretch = Math.max(1, 1 / scale);
	const first = Math.floor(x - reach * stretch + 1);
	const last = Math.floor(x + reach * stretch + 1);
	return new Map(upTo(last - first).map((i) => [first + i, filter((first + i - x) / stretch)]));
};

const triangle = (distance: number): number => Math.max(0, 1 - Math.abs(distance));
const cubicFilter =
	(a: number) =>
	(distance: number): number => {
		const d = Math.abs(distance);
		if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
		return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
	};

/** The weights of `size` entries, which add up to 1: the weight of a place outside is given to the nearest entry, or to none. */
function row(weights: Weights, size: number, excludeOutside: boolean): number[] {
	const entries = new Array<number>(size).fill(0);
	let total = 0;
	for (const [at, weight] of weights) {
		const inside = Math.min(Math.max(at, 0), size - 1);
		if (excludeOutside && inside !== at) continue;
		entries[inside]! += weight;
		total += weight;
	}
	return entries.map((weight) => weight / (total || 1));
}

/** The matrix that resizes an axis: each row holds the weights of the input's entries in one entry of the output. */
function resizing({ text, int, float }: RuleContext, axis: Axis): Matrix {
	const mode = text('mode', 'nearest');
	const a = float('cubic_coeff_a', -0.75);
	const smooth = int('antialias', 0) === 1;
	const transformation = text('coordinate_transformation_mode', 'half_pixel');
	const coordinate = coordinates[transformation] as (i: number, axis: Axis) => number;
	const cut = transformation === 'tf_crop_and_resize';
	const weightsAt = (x: number): Weights => {
		if (mode === 'nearest') return new Map([[nearest[text('nearest_mode', 'round_prefer_floor')]!(x), 1]]);
		if (mode === 'linear') return smooth ? filtered(x, axis.scale, 1, triangle) : linearAt(Math.min(Math.max(x, 0), axis.from - 1));
		return smooth ? filtered(x, axis.scale, 2, cubicFilter(a)) : cubicAt(x, a);
	};
	return upTo(axis.to).map((i) => {
		const x = coordinate(i, axis);
		// there the output holds extrapolation_value
		if (cut && (x < 0 || x > axis.from - 1)) return new Array<number>(axis.from).fill(0);
		return row(weightsAt(x), axis.from, int('exclude_outside', 0) === 1);
	});
}

/** The axes of a Resize by their place in x; those that it leaves alone are left out. */
function resizedAxes({ node, x, y, inputs, ints, text, constant }: RuleContext): [number, Axis][] {
	const [from, to] = [staticShape(x), staticShape(y)];
	const axes = ints('axes')?.map((axis) => positiveAxis(axis, from.length)) ?? upTo(from.length);
	const given = (input: number): number[] | null => (inputs[input] && inputs[input].shape[0] !== 0 ? constant(input) : null);
	const scales = given(2) ?? given(3)?.map((size, i) => size / from[axes[i] as number]!);
	if (scales === undefined)
		throw new GraphError('unsupported_model', `node "${node.name}" (Resize) has neither scales nor sizes`, node.name);
	const policy = text('keep_aspect_ratio_policy', 'stretch');
	const common = policy === 'not_larger' ? Math.min(...scales) : Math.max(...scales);
	const roi = text('coordinate_transformation_mode', 'half_pixel') === 'tf_crop_and_resize' ? constant(1) : null;
	return axes
		.map((axis, i): [number, Axis] => [
			axis,
			{
				from: from[axis] as number,
				to: to[axis] as number,
				scale: f(given(2) || policy === 'stretch' ? scales[i]! : common),
				start: f(roi?.[i] ?? 0),
				end: f(roi?.[axes.length + i] ?? 1),
			},
		])
		.filter(([, { scale }]) => scale !== 1);
}

/** How often a matrix repeats each entry of the input, where it does nothing else; else null. */
function repeats(matrix: Matrix, size: number): number | null {
	const times = matrix.length / size;
	return matrix.every((row, i) => row[Math.floor(i / times)] === 1) && Number.isInteger(times) ? times : null;
}

/** The gradient through one axis: every entry of the input gets, from each entry of the output, its share by the weight that it had there. */
function throughAxis(g: GraphBuilder, matrix: Matrix, dy: Value, axis: number, size: number): Value {
	const times = repeats(matrix, size);
	if (times === null) return alongAxis(g, transposed(matrix), dy, axis);
	const sizes = staticShape(dy);
	const [before, behind] = [sizes.slice(0, axis), sizes.slice(axis + 1)];
	return g.reduceSum(g.reshape(dy, [...before, size, times, ...behind]), [axis + 1], false);
}

export const resize: Rules = {
	// each axis is multiplied by a matrix of constants, and the gradient by its transpose
	Resize: (context) => {
		const axes = resizedAxes(context);
		return [
			axes.reduce((gradient, [axis, of]) => throughAxis(context.g, resizing(context, of), gradient, axis, of.from), context.dy),
			null,
			null,
			null,
		];
	},
};
