import { dependentsOf, type Graph, type Node } from '@steelyard/onnx';
import { zeroGradient } from './rules/zero-gradient.js';

/** Types of indices, counts and conditions, which pass no gradient on; quantised numbers, of other integer types, do. */
const withoutGradient: ReadonlySet<string> = new Set(['int64', 'bool']);

/** The names of the values through which a gradient can reach `sources`: those that depend on them by operators that have gradients, and these themselves. */
export const gradientPaths = (graph: Graph, sources: Iterable<string>): Set<string> =>
	dependentsOf(
		graph,
		sources,
		({ op }: Node, output) => !Object.hasOwn(zeroGradient, op) && !withoutGradient.has(graph.values.get(output)?.dtype ?? ''),
	);
