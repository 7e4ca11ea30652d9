import { type Graph, readsOf } from '@steelyard/onnx';
import { isFloat } from './float-types.js';
import { zeroGradient } from './rules/zero-gradient.js';

/** Values through which a gradient can reach `sources`: those that depend on them, also by what bodies capture, and these themselves; no integers. */
export function dependents(graph: Graph, sources: Iterable<string>): Set<string> {
	const found = new Set(sources);
	const takesNone = (output: string): boolean => {
		const value = graph.values.get(output);
		return value !== undefined && !isFloat(value);
	};
	for (const node of graph.nodes)
		if (!Object.hasOwn(zeroGradient, node.op) && readsOf(node).some((name) => found.has(name)))
			for (const output of node.outputs) if (output !== '' && !takesNone(output)) found.add(output);
	return found;
}
