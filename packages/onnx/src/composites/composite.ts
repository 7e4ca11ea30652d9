import type { DType } from '@steelyard/runtime';
import type { AttributeReader } from '../attributes.js';
import type { GraphBuilder } from '../builder.js';
import { GraphError, type Node, type Value } from '../graph.js';

/** What an expansion sees of one node. All dimensions of the values that it sees are sizes. */
export type CompositeContext = AttributeReader & {
	readonly node: Node;
	/** An input that the operator must have. Throws GraphError `malformed_model` when it is missing, `unknown_shape` while its size is not known. */
	input(index: number): Value;
	/** An input, or null where the node leaves it out. Throws GraphError `unknown_shape` while its size is not known. */
	optional(index: number): Value | null;
	/** The element type of an input; null while it is not known. */
	dtype(index: number): DType | null;
	/** An output. Throws GraphError `unknown_shape` while its size is not known. */
	output(index: number): Value;
	/** Whether output `index` is read. */
	wants(index: number): boolean;
	/** The numbers of an input that is a constant of the graph. Throws GraphError `unknown_shape` when it is not one. */
	constant(index: number): number[];
	readonly g: GraphBuilder;
	readonly opset: number;
};

/**
 * Writes one node as nodes that mean the same in every operator set from the node's own on. Gives the values of the node's outputs, null for one that the node
 * leaves out; or null alone where the node is to stay as it is.
 */
export type Expansion = (context: CompositeContext) => ReadonlyArray<Value | null> | null;
export type Expansions = Readonly<Record<string, Expansion>>;

/** The error for a node that the working operator set cannot express; `reason` goes on from "node … (Operator)". */
export const unsupported = (node: Node, reason: string): GraphError =>
	new GraphError('unsupported_operator', `node "${node.name}" (${node.op}) ${reason}`, node.name);

/** The sizes of a value of a composite, all of which are known. */
export const sizes = (value: Value): number[] => value.shape as number[];

/** A scalar constant of a floating type. */
export const real = (g: GraphBuilder, value: number, dtype: DType): Value =>
	dtype === 'float16' ? g.cast(g.scalar(value), dtype) : g.scalar(value, dtype);

/** x times a number. */
export const times = (g: GraphBuilder, x: Value, factor: number): Value => (factor === 1 ? x : g.mul(x, real(g, factor, x.dtype)));

/** x plus a number. */
export const plus = (g: GraphBuilder, x: Value, term: number): Value => g.add(x, real(g, term, x.dtype));

/** a where the condition holds, else b; `shape` is that of the result. */
export const where = (g: GraphBuilder, condition: Value, a: Value, b: Value, shape: readonly number[]): Value =>
	g.op('Where', [condition, a, b], {}, { dtype: a.dtype, shape });

/** Compares by `op` (Less, Equal, …); the shape is a's. */
export const compare = (g: GraphBuilder, op: string, a: Value, b: Value): Value => g.op(op, [a, b], {}, { dtype: 'bool' });

/** The mean over `axes`, which stay with size 1. By a sum, since ReduceMean has another form before operator set 18. */
export function meanOver(g: GraphBuilder, x: Value, axes: readonly number[]): Value {
	const count = axes.reduce((product, axis) => product * (sizes(x)[axis] as number), 1);
	return times(g, g.reduceSum(x, axes), 1 / count);
}

/** x[…, start:end:step, …] along one axis, for 0 ≤ start ≤ end ≤ size and step > 0. */
export function slice(g: GraphBuilder, x: Value, axis: number, start: number, end: number, step = 1): Value {
	const shape = sizes(x).map((size, i) => (i === axis ? Math.ceil((end - start) / step) : size));
	return g.op('Slice', [x, g.ints([start]), g.ints([end]), g.ints([axis]), g.ints([step])], {}, { shape });
}
