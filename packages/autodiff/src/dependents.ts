import { type Graph, readsOf } from '@steelyard/onnx';
import { zeroGradient } from './rules/zero-gradient.js';

/** Values through which a gradient can reach `sources`: those that depend on them, also by what bodies capture, and these themselves. */
export function dependents(graph: Graph, sources: Iterable<string>): Set<string> {
	const found = new Set(sources);
	for (const node of graph.nodes)
		if (!Object.hasOwn(zeroGradient, node.op) && readsOf(node).some((name) => found.has(name)))
			for (const output of node.outputs) if (output !== '') found.add(output);
	return found;
}
