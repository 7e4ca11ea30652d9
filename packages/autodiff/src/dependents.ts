import { type Graph, readsOf } from '@steelyard/onnx';
import { zeroGradient } from './rules/zero-gradient.js';

/** Types of indices, counts and conditions, which hand no gradient on; quantised numbers, of other integer types, do. */
const inert: ReadonlySet<string> = new Set(['int64', 'bool']);

/** Values through which a gradient can reach `sources`: those that depend on them, also by what bodies capture, and these themselves. */
export function dependents(graph: Graph, sources: Iterable<string>): Set<string> {
	const found = new Set(sources);
	const takesOne = (output: string): boolean => output !== '' && !inert.has(graph.values.get(output)?.dtype ?? '');
	for (const node of graph.nodes)
		if (!Object.hasOwn(zeroGradient, node.op) && readsOf(node).some((name) => found.has(name)))
			for (const output of node.outputs) if (takesOne(output)) found.add(output);
	return found;
}
