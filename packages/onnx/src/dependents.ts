import { readsOf } from './bodies.js';
import type { Graph, Node } from './graph.js';

/**
 * The names of the values that depend on `sources`, and of these themselves. A value depends on what its node reads, which includes what the bodies of the node
 * capture. Where `passes` is false for an output of a node, that output counts as one that does not depend on what the node reads.
 */
export function dependentsOf(
	graph: Graph,
	sources: Iterable<string>,
	passes: (node: Node, output: string) => boolean = () => true,
): Set<string> {
	const found = new Set(sources);
	for (const node of graph.nodes)
		if (readsOf(node).some((name) => found.has(name)))
			for (const output of node.outputs) if (output !== '' && passes(node, output)) found.add(output);
	return found;
}
