import type { DType } from '@steelyard/runtime';
import type { AttributeReader } from '../attributes.js';
import type { GraphBuilder } from '../builder.js';
import { GraphError, type Node, type Value } from '../graph.js';

/** What an expansion sees of one node. Every shape that it sees is static. */
export type CompositeContext = AttributeReader & {
	readonly node: Node;
	/** The input that the operator cannot be without. Throws GraphError `malformed_model` when it is missing, `unknown_shape` while its size is not known. */
	input(index: number): Value;
	/** An input, or null when it is left out. Throws GraphError `unknown_shape` while its size is not known. */
	optional(index: number): Value | null;
	/** The element type of an input, as far as it is known. */
	dtype(index: number): DType | null;
	/** What is known of an output. Throws GraphError `unknown_shape` while its size is not known. */
	output(index: number): Value;
	/** Whether the node has output `index`. */
	wants(index: number): boolean;
	/** The numbers of an input that is a constant of the graph. Throws GraphError `unknown_shape` when it is not one. */
	constant(index: number): number[];
	readonly g: GraphBuilder;
	readonly opset: number;
};

/**
 * Writes one node as nodes that mean the same in every operator set from the node's own on, and gives the values of its outputs (null for one that the node
 * leaves out); null alone when the node is to stay as it is.
 */
export type Expansion = (context: CompositeContext) => ReadonlyArray<Value | null> | null;
export type Expansions = Readonly<Record<string, Expansion>>;

/** Why a node cannot be said in the working operator set: `reason` goes on from "… (Operator)". */
export const unsupported = (node: Node, reason: string): GraphError =>
	new GraphError('unsupported_operator', `node "${node.name}" (${node.op}) ${reason}`, node.name);

/** The sizes of a value of a composite, all of which are known. */
export const sizes = (value: Value): number[] => value.shape as number[];

export const positive = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** A scalar constant of a floating type. */
export const real = (g: GraphBuilder, value: number, dtype: DType): Value =>
	dtype === 'float16' ? g.cast(g.scalar(value), dtype) : g.scalar(value, dtype);

export const times = (g: GraphBuilder, x: Value, factor: number): Value => (factor === 1 ? x : g.mul(x, real(g, factor, x.dtype)));

export const plus = (g: GraphBuilder, x: Value, term: number): Value => g.add(x, real(g, term, x.dtype));

export const where = (g: GraphBuilder, condition: Value, a: Value, b: Value, shape: readonly number[]): Value =>
	g.op('Where', [condition, a, b], {}, { dtype: a.dtype, shape });

/** Compares by `op` (Less, Equal, …); the shape is a's. */
export const compare = (g: GraphBuilder, op: string, a: Value, b: Value): Value => g.op(op, [a, b], {}, { dtype: 'bool' });

/** The mean over `axes`, kept with size 1. A sum, for ReduceMean has another form before operator set 18. */
export function meanOver(g: GraphBuilder, x: Value, axes: readonly number[]): Value {
	const count = axes.reduce((product, axis) => product * (sizes(x)[axis] as number), 1);
	return times(g, g.reduceSum(x, axes), 1 / count);
}

/** x[…, start:end:step, …] along one axis, for 0 ≤ start ≤ end ≤ size and step > 0. */
export function slice(g: GraphBuilder, x: Value, axis: number, start: number, end: number, step = 1): Value {
	const shape = sizes(x).map((size, i) => (i === axis ? Math.ceil((end - start) / step) : size));
	return g.op('Slice', [x, g.ints([start]), g.ints([end]), g.ints([axis]), g.ints([step])], {}, { shape });
}
