import { type GraphBuilder, staticShape, type Value } from '@steelyard/onnx';
import { product, upTo } from '../axes.js';
import { choose, compare } from '../choose.js';
import { cubicWeights } from '../cubic.js';
import { likeType } from '../float-types.js';
import type { RuleContext, Rules } from '../rule.js';
import { scatterAdd } from './index-of-values.js';

/** How a point reads its neighbours along one axis: the first of them, counted from the entry before the point, and the weight of each as a polynomial of the distance t from that entry. */
type Kernel = { readonly first: number; readonly weights: readonly (readonly number[])[] };

const linear: Kernel = {
	first: 0,
	weights: [
		[1, -1],
		[0, 1],
	],
};
const cubic: Kernel = { first: -1, weights: cubicWeights(-0.75) };
/** The kernels by mode, under the names of before and after operator set 20. */
const kernels: Readonly<Record<string, Kernel>> = {
	nearest: { first: 0, weights: [[1]] },
	linear,
	bilinear: linear,
	cubic,
	bicubic: cubic,
};

/**
 * The neighbours that the points read along one axis of the image: which entries, what they weigh, and how their weights change with the coordinate of the
 * grid. All have the shape [N, …, neighbours, …, P]: the neighbours of every axis have an axis of their own, so that their products are made by broadcasting.
 */
type Neighbours = { at: Value; weight: Value; slope: Value | null };

/** Entries brought into the image by `padding_mode`. */
function inside(g: GraphBuilder, { text, int }: RuleContext, at: Value, size: number): Value {
	if (text('padding_mode', 'zeros') !== 'reflection')
		return g.op('Clip', [at, g.constant('int64', [], [0]), g.constant('int64', [], [size - 1])]);
	// mirrored at the outermost entries, or half an entry beyond them
	const period = int('align_corners', 0) === 1 ? Math.max(1, 2 * (size - 1)) : 2 * size;
	const last = int('align_corners', 0) === 1 ? period : period - 1;
	const phase = g.op('Mod', [at, g.constant('int64', [], [period])]);
	return g.op('Min', [phase, g.sub(g.constant('int64', [], [last]), phase)]);
}

/** The sum of the polynomials of t by row of coefficients: [N, rows, P] for t [N, 1, P]. */
function polynomials(g: GraphBuilder, coefficients: readonly (readonly number[])[], t: Value): Value {
	const degree = (coefficients[0] as readonly number[]).length;
	const powers = upTo(degree - 1).reduce<Value[]>(
		(all) => [...all, g.mul(all.at(-1) as Value, t)],
		[g.expand(g.scalar(1, t.dtype), staticShape(t))],
	);
	return g.matMul(g.constant(t.dtype, [coefficients.length, degree], coefficients.flat()), g.concat(powers, 1));
}

/** The neighbours along an axis of `size` entries at coordinates x [N, 1, P], which −1 and 1 bound. */
function neighbours(context: RuleContext, coordinate: Value, size: number): Neighbours {
	const { g, text, int } = context;
	const kernel = kernels[text('mode', 'linear')] as Kernel;
	const half = (int('align_corners', 0) === 1 ? size - 1 : size) / 2;
	const x = g.add(g.scale(half, coordinate), g.scalar((size - 1) / 2, coordinate.dtype));
	const base = g.op(kernel.weights.length === 1 ? 'Round' : 'Floor', [x]);
	const t = g.sub(x, base);
	const offsets = g.constant(
		'int64',
		[kernel.weights.length, 1],
		kernel.weights.map((_, i) => kernel.first + i),
	);
	const reached = g.add(g.op('Cast', [base], { to: 7 }, { dtype: 'int64' }), offsets);
	const at = inside(g, context, reached, size);
	const reads = text('padding_mode', 'zeros') === 'zeros' ? compare(g, 'Equal', at, reached) : null;
	const masked = (value: Value): Value => (reads ? choose(g, reads, value, g.scalar(0, value.dtype)) : value);
	const slopes = kernel.weights.map((row) => row.slice(1).map((c, i) => (i + 1) * c));
	const flat = (slopes[0] as number[]).length === 0;
	return {
		at,
		weight: masked(polynomials(g, kernel.weights, t)),
		slope: flat ? null : masked(g.scale(half, polynomials(g, slopes, t))),
	};
}

/** [N, neighbours, P] to [N, 1, …, neighbours, …, 1, P], the neighbours at the place of their axis among `rank`. */
const onAxis = (g: GraphBuilder, x: Value, axis: number, rank: number): Value => {
	const [batch, count, points] = staticShape(x) as [number, number, number];
	return g.reshape(x, [batch, ...upTo(rank).map((i) => (i === axis ? count : 1)), points]);
};

const multiplied = (g: GraphBuilder, factors: readonly Value[]): Value => factors.reduce((all, factor) => g.mul(all, factor));

export const gridSample: Rules = {
	// y at a point = Σ over its neighbours of x·(product of their weights by axis)
	GridSample: (context) => {
		const { x, second: grid, dy, g, needs } = context;
		const [batch, channels, ...sizes] = staticShape(x) as [number, number, ...number[]];
		const rank = sizes.length;
		const points = product(staticShape(grid).slice(1, -1));
		// the last coordinate of a point is along the first axis of the image
		const located = g.split(g.reshape(grid, [batch, 1, points, rank]), new Array<number>(rank).fill(1), 3).reverse();
		const axes = sizes.map((size, axis) => {
			const { at, weight, slope } = neighbours(context, likeType(g, g.reshape(located[axis] as Value, [batch, 1, points]), x), size);
			return { at: onAxis(g, at, axis, rank), weight: onAxis(g, weight, axis, rank), slope: slope && onAxis(g, slope, axis, rank) };
		});
		const places = axes
			.map(({ at }, axis) => g.mul(at, g.constant('int64', [], [product(sizes.slice(axis + 1))])))
			.reduce((sum, term) => g.add(sum, term));
		const counts = staticShape(places).slice(1, -1);
		const read = product(counts) * points;
		const indices = g.expand(g.reshape(places, [batch, 1, read]), [batch, channels, read]);
		const perPoint = g.reshape(dy, [batch, channels, 1, points]);
		const dimage = (): Value => {
			const weights = g.reshape(
				multiplied(
					g,
					axes.map(({ weight }) => weight),
				),
				[batch, 1, product(counts), points],
			);
			const parts = g.reshape(g.mul(weights, perPoint), [batch, channels, read]);
			return g.reshape(scatterAdd(g, [batch, channels, product(sizes)], 2, indices, parts), x.shape);
		};
		const dgrid = (): Value | null => {
			if (axes.some(({ slope }) => slope === null)) return null;
			const flat = g.reshape(x, [batch, channels, product(sizes)]);
			const values = g.op('GatherElements', [flat, indices], { axis: 2 }, { shape: [batch, channels, read] });
			const heights = g.reduceSum(g.mul(g.reshape(values, [batch, channels, product(counts), points]), perPoint), [1], false);
			const spread = g.reshape(heights, [batch, ...counts, points]);
			const along = axes.map((_, axis): Value => {
				const factors = axes.map(({ weight, slope }, i) => (i === axis ? (slope as Value) : weight));
				return g.reshape(
					g.reduceSum(
						g.mul(spread, multiplied(g, factors)),
						upTo(rank).map((i) => i + 1),
						false,
					),
					[batch, points, 1],
				);
			});
			return likeType(g, g.reshape(g.concat(along.reverse(), 2), grid.shape), grid);
		};
		return [needs[0] ? dimage() : null, needs[1] ? dgrid() : null];
	},
};
