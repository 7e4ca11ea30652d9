import { type Attributes, type GraphBuilder, GraphError, staticShape, type Value } from '@steelyard/onnx';
import type { Rule, RuleContext, Rules } from '../rule.js';

const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);

const zerosLike = (g: GraphBuilder, x: Value): Value => g.expand(g.scalar(0, x.dtype), staticShape(x));

/**
 * Zeros of `shape` with `updates` added at the places that `indices` (of the shape of `updates`) name along `axis`. Not ScatterND: ONNX Runtime adds its
 * updates from several threads without a lock, which loses some where an index repeats.
 */
function scatterAdd(g: GraphBuilder, shape: readonly number[], axis: number, indices: Value, updates: Value): Value {
	return g.op('ScatterElements', [g.expand(g.scalar(0, updates.dtype), shape), indices, updates], { axis, reduction: 'add' });
}

/**
 * The gradient of Gather: what each slice of dy adds to the slice of an axis of `size` that it was read from. The axes of `indices` stand in dy at `axis`;
 * indices may repeat and be negative.
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

/** The number of the slice that each index of GatherND reads, of all slices that the indexed axes hold; shape of the indices without their last axis. */
function sliceNumbers(g: GraphBuilder, data: Value, indices: Value, batchDims: number): Value {
	const sizes = staticShape(data);
	const places = staticShape(indices).slice(0, -1);
	const depth = staticShape(indices).at(-1) as number;
	const indexed = sizes.slice(0, batchDims + depth);
	const stride = (axis: number): number => product(indexed.slice(axis + 1));
	// (index mod size)·stride, summed: the floor modulus brings negative indices to the front
	const own = g.op('Mod', [indices, g.ints(indexed.slice(batchDims))]);
	const within = g.reduceSum(g.mul(own, g.ints(indexed.slice(batchDims).map((_, i) => stride(batchDims + i)))), [places.length], false);
	return indexed.slice(0, batchDims).reduce((sum, size, axis) => {
		const starts = Array.from({ length: size }, (_, i) => i * stride(axis));
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

/** The `reduction` of a scatter; only those whose gradient needs no other value than dy. */
function reductionOf({ node }: RuleContext): 'none' | 'add' {
	const attribute = node.attributes['reduction'];
	const reduction = attribute?.type === 'string' ? attribute.value : 'none';
	if (reduction !== 'none' && reduction !== 'add')
		throw new GraphError(
			'unsupported_model',
			`node "${node.name}" (${node.op}) has the reduction "${reduction}", expected none or add`,
			node.name,
		);
	return reduction;
}

/** Updates read their gradient where they were put; where they replaced an entry, that entry gets none. */
function scatterRule(gather: 'GatherElements' | 'GatherND', attributes: (context: RuleContext) => Attributes): Rule {
	return (context) => {
		const { b: indices, c, dy, g, node, needs } = context;
		const updates = c as Value;
		const overwritten = reductionOf(context) === 'none';
		return [
			needs[0] && overwritten ? g.op(node.op, [dy, indices, zerosLike(g, updates)], attributes(context)) : dy,
			null,
			needs[2] ? g.op(gather, [dy, indices], attributes(context), { shape: updates.shape }) : null,
		];
	};
}

const positive = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

export const indexOfValues: Rules = {
	Gather: ({ a, b: indices, dy, g, int }) => {
		const axis = positive(int('axis', 0), a.shape.length);
		return [scatterAlong(g, staticShape(a)[axis] as number, axis, indices, dy), null];
	},
	GatherElements: ({ a, b: indices, dy, g, int }) => [scatterAdd(g, staticShape(a), int('axis', 0), indices, dy), null],
	GatherND: ({ a, b: indices, dy, g, int }) => {
		const sizes = staticShape(a);
		const numbers = sliceNumbers(g, a, indices, int('batch_dims', 0));
		const indexed = int('batch_dims', 0) + (staticShape(indices).at(-1) as number);
		const slices = g.reshape(dy, [...(numbers.shape as number[]), product(sizes.slice(indexed))]);
		return [g.reshape(scatterAlong(g, product(sizes.slice(0, indexed)), 0, numbers, slices), a.shape), null];
	},
	ScatterElements: scatterRule('GatherElements', ({ int }) => ({ axis: int('axis', 0) })),
	ScatterND: scatterRule('GatherND', () => ({})),
	TopK: ({ a, outputs, dy, g, int }) => [scatterAdd(g, staticShape(a), int('axis', -1), outputs[1] as Value, dy), null],
};
