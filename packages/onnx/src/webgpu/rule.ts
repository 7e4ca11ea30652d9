import type { DType } from '@steelyard/runtime';
import type { AttributeReader } from '../attributes.js';
import type { GraphBuilder } from '../builder.js';
import type { Node, Value } from '../graph.js';

/** What a rule sees of a node. Integers of 64 bits are values of 32 bits here, but for constants that say a shape, an axis or a number of parts. */
export type NodeContext = AttributeReader & {
	readonly node: Node;
	readonly g: GraphBuilder;
	/** An input of the node. */
	input(index: number): Value;
	/** The numbers of an input that is a constant; null where it is none, or is left out. */
	constant(index: number): number[] | null;
	/** The type of an output, in which int64 stands as int32. */
	output(index: number): Value;
	/** The node as it is; `inputs` stand in the place of its own, and `dtype` in the place of the type of its outputs. */
	kept(inputs?: Readonly<Record<number, Value>>, dtype?: DType): Value[];
};

/** Writes a node as nodes of which WebGPU has kernels, and gives the values of its outputs; null where the node is to stay as it is. */
export type Rule = (context: NodeContext) => readonly Value[] | null;
