import type { Graph, Value } from './graph.js';

/** Every name that a graph mentions, those in its bodies too: what a body takes from outside is among them. */
function mentioned(graph: Graph, names: Set<string>): void {
	for (const node of graph.nodes) {
		for (const input of node.inputs) names.add(input);
		for (const { type, value } of Object.values(node.attributes)) if (type === 'graph') mentioned(value, names);
	}
	for (const { name } of graph.outputs) names.add(name);
}

/** The part of a graph that makes `outputs`: these are its outputs, and only the nodes and initializers that they need are left. All inputs stay. */
export function reducedTo(graph: Graph, outputs: readonly Value[]): Graph {
	const needed = new Set(outputs.map(({ name }) => name));
	const nodes = graph.nodes
		.toReversed()
		.filter((node) => {
			if (!node.outputs.some((output) => needed.has(output))) return false;
			for (const input of node.inputs) needed.add(input);
			for (const { type, value } of Object.values(node.attributes)) if (type === 'graph') mentioned(value, needed);
			return true;
		})
		.reverse();
	const initializers = new Map([...graph.initializers].filter(([name]) => needed.has(name)));
	return { ...graph, nodes, outputs, initializers };
}
