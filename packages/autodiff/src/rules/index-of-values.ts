import { type Dim, type GraphBuilder, type Node, positiveAxis, readAttributes, staticShape, type Value } from '@steelyard/onnx';
import { product, upTo } from '../axes.js';
import type { RuleContext, Rules } from '../rule.js';

/**
 * Zeros of `shape` with `updates` added at the places that `indices` (of the shape of `updates`) name along `axis`. Not ScatterND: ONNX Runtime adds its
 * updates from several threads without a lock, which loses some where an index repeats.
 */
export function scatterAdd(g: GraphBuilder, shape: readonly number[], axis: number, indices: Value, updates: Value): Value {
	return g.op('ScatterElements', [g.expand(g.scalar(0, updates.dtype), shape), indices, updates], { axis, reduction: 'add' });
}

/**
 * The gradient of Gather along `axis`, which has `size` entries: each slice of dy is added to the slice that it was read from. The axes of `indices` stand in dy at
 * `axis`; indices may repeat and be negative.
 */
export function scatterAlong(g: GraphBuilder, size: number, axis: number, indices: Value, dy: Value): Value {
	const sizes = staticShape(dy);
	const lead = sizes.slice(0, axis);
	const rest = sizes.slice(axis + indices.shape.length);
	const count = product(staticShape(indices));
	const slices = [product(lead), count, product(rest)];
	const places = g.expand(g.reshape(indices, [1, count, 1]), slices);
	return g.reshape(scatterAdd(g, [product(lead), size, product(rest)], 1, places, g.reshape(dy, slices)), [...lead, size, ...rest]);
}

/**
 * For each slice of a result [before, size, behind] the sum of those slices of `x` [before, count, behind] whose numbers `summands` lists, in that order. It moves whole
 * slices, where ScatterElements takes ten times as long to add number by number.
 */
export function sumsOfSlices(g: GraphBuilder, x: Value, summands: readonly (readonly number[])[]): Value {
	const [before, count, behind] = staticShape(x) as [number, number, number];
	const most = mostOf(summands);
	// behind the last slice stands one of zeros, for sums of fewer
	const complete = summands.every((places) => places.length === most);
	const padded = complete ? x : g.op('Pad', [x, g.ints([0, 0, 0, 0, 1, 0])], {}, { shape: [before, count + 1, behind] });
	const terms = upTo(most).map((turn) => {
		const places = g.ints(summands.map((all) => all[turn] ?? count));
		return g.op('Gather', [padded, places], { axis: 1 }, { shape: [before, summands.length, behind] });
	});
	return terms.reduce((sum, term) => g.add(sum, term));
}

const mostOf = (lists: readonly (readonly number[])[]): number => lists.reduce((most, list) => Math.max(most, list.length), 0);

/** The most slices of a sum of slices; more are added number by number. */
const MOST_SUMMANDS = 4;

/** The gradient of Gather along `axis` with known indices, as sums of slices; null where slices of x were read too often for that, or most of them not at all. */
function gatherBack(g: GraphBuilder, x: Value, axis: number, indices: readonly number[], dy: Value): Value | null {
	const sizes = staticShape(x);
	const size = sizes[axis] as number;
	const readers: number[][] = upTo(size).map(() => []);
	for (const [place, index] of indices.entries()) readers[index < 0 ? index + size : index]?.push(place);
	const most = mostOf(readers);
	if (most === 0 || most > MOST_SUMMANDS || size > indices.length) return null;
	const slices = g.reshape(dy, [product(sizes.slice(0, axis)), indices.length, product(sizes.slice(axis + 1))]);
	return g.reshape(sumsOfSlices(g, slices, readers), x.shape);
}

/** The number of the slice that each index of GatherND reads, counted through the indexed axes; its shape is that of the indices without their last axis. */
export function sliceNumbers(g: GraphBuilder, data: Value, indices: Value, batchDims: number): Value {
	const sizes = staticShape(data);
	const places = staticShape(indices).slice(0, -1);
	const depth = staticShape(indices).at(-1) as number;
	const indexed = sizes.slice(0, batchDims + depth);
	const stride = (axis: number): number => product(indexed.slice(axis + 1));
	// (index mod size)·stride, summed: the floor modulus brings negative indices to the front
	const own = g.op('Mod', [indices, g.ints(indexed.slice(batchDims))]);
	const within = g.reduceSum(g.mul(own, g.ints(indexed.slice(batchDims).map((_, i) => stride(batchDims + i)))), [places.length], false);
	return indexed.slice(0, batchDims).reduce((sum, size, axis) => {
		const starts = upTo(size).map((i) => i * stride(axis));
		return g.add(
			sum,
			g.constant(
				'int64',
				places.map((_, i) => (i === axis ? size : 1)),
				starts,
			),
		);
	}, within);
}

/** What a TopK sorts whose second output, of `size` numbers, is `order`: all that it sorts, so that `order` is a permutation; null for any other value. */
function sortedBy(
	{ makerOf, valueOf, numbersOf }: RuleContext,
	order: Value,
	size: Dim,
): { node: Node; value: Value; ascending: boolean } | null {
	const node = makerOf(order.name);
	if (node?.op !== 'TopK' || node.outputs[1] !== order.name) return null;
	const value = valueOf(node.inputs[0] as string);
	const count = numbersOf(node.inputs[1] as string)?.[0];
	const isWhole = value.shape.length === 1 && value.shape[0] === size && count === size;
	return isWhole ? { node, value, ascending: readAttributes(node).int('largest', 1) === 0 } : null;
}

/** The inverse of a permutation that sorts something: the order that sorts the permutation. Null for indices of which it is not known that they are one. */
function inverseOf(context: RuleContext, indices: Value, size: Dim): Value | null {
	const { g } = context;
	const sorted = sortedBy(context, indices, size);
	if (sorted === null) return null;
	// what sorts a permutation is its inverse, and the inverse of that is the permutation
	if (sorted.ascending && sortedBy(context, sorted.value, size) !== null) return sorted.value;
	const [values, inverse] = [g.fresh('sorted', indices.dtype, indices.shape), g.fresh('inverse', indices.dtype, indices.shape)];
	g.node('TopK', [indices, g.ints([size as number])], [values, inverse], { ...sorted.node.attributes, largest: 0 });
	return inverse;
}

export const indexOfValues: Rules = {
	Gather: (context) => {
		const { x, second: indices, dy, g, int, known } = context;
		const axis = positiveAxis(int('axis', 0), x.shape.length);
		const inverse = inverseOf(context, indices, x.shape[axis] as Dim);
		if (inverse !== null) return [g.op('Gather', [dy, inverse], { axis }, { shape: x.shape }), null];
		const places = known(1);
		const back = places && gatherBack(g, x, axis, places, dy);
		return [back ?? scatterAlong(g, staticShape(x)[axis] as number, axis, indices, dy), null];
	},
	GatherElements: ({ x, second: indices, dy, g, int }) => [scatterAdd(g, staticShape(x), int('axis', 0), indices, dy), null],
	GatherND: ({ x, second: indices, dy, g, int }) => {
		const sizes = staticShape(x);
		const numbers = sliceNumbers(g, x, indices, int('batch_dims', 0));
		const indexed = int('batch_dims', 0) + (staticShape(indices).at(-1) as number);
		const slices = g.reshape(dy, [...(numbers.shape as number[]), product(sizes.slice(indexed))]);
		return [g.reshape(scatterAlong(g, product(sizes.slice(0, indexed)), 0, numbers, slices), x.shape), null];
	},
	TopK: ({ x, outputs, dy, g, int }) => [scatterAdd(g, staticShape(x), int('axis', -1), outputs[1] as Value, dy), null],
	// the slices that the condition keeps, or entries of all of x where no axis is given
	Compress: ({ x, second: condition, y, dy, g, int, has }) => {
		const flat = !has('axis');
		const axis = flat ? 0 : positiveAxis(int('axis', 0), x.shape.length);
		const size = flat ? product(staticShape(x)) : (staticShape(x)[axis] as number);
		const first = g.ints(upTo(Math.min(size, staticShape(condition)[0] as number)));
		const kept = g.op('Compress', [first, condition], { axis: 0 }, { shape: [staticShape(y)[axis] as number] });
		return [g.reshape(scatterAlong(g, size, axis, kept, dy), x.shape), null];
	},
	// reversing the gradient in the same places
	ReverseSequence: ({ node, second: lengths, dy, g }) => [g.op('ReverseSequence', [dy, lengths], node.attributes), null],
	// values are [off, on]: on gets what stands where a 1 is hot
	OneHot: ({ node, x: indices, second: depth, dy, g }) => {
		const hot = g.op('OneHot', [indices, depth, g.constant(dy.dtype, [2], [0, 1])], node.attributes, { dtype: dy.dtype, shape: dy.shape });
		const on = g.sumAll(g.mul(dy, hot));
		const off = g.sub(g.sumAll(dy), on);
		return [null, null, g.concat([g.reshape(off, [1]), g.reshape(on, [1])], 0)];
	},
};
