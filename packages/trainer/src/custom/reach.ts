import type { Graph, Node } from '@steelyard/onnx';

/** Names that a node reads: its inputs and all that its bodies name, which may be values around it. */
export function readsOf(node: Node): Set<string> {
	const reads = new Set(node.inputs.filter((name) => name !== ''));
	for (const attribute of Object.values(node.attributes)) {
		if (attribute.type !== 'graph') continue;
		for (const inner of attribute.value.nodes) for (const name of readsOf(inner)) reads.add(name);
		for (const { name } of attribute.value.outputs) reads.add(name);
	}
	return reads;
}

/** The graph with `outputs` alone, without the nodes, initializers and inputs that they do not need. */
export function pruned(graph: Graph, outputs: readonly string[]): Graph {
	const needed = new Set(outputs);
	const nodes: Node[] = [];
	for (const node of graph.nodes.toReversed()) {
		if (!node.outputs.some((name) => needed.has(name))) continue;
		nodes.unshift(node);
		for (const name of readsOf(node)) needed.add(name);
	}
	return {
		...graph,
		nodes,
		inputs: graph.inputs.filter(({ name }) => needed.has(name)),
		initializers: new Map([...graph.initializers].filter(([name]) => needed.has(name))),
		outputs: outputs.map((name) => graph.outputs.find((output) => output.name === name) ?? { name, dtype: 'float32', shape: [] }),
	};
}

/** Values that depend on `sources`, these among them. */
export function dependents(graph: Graph, sources: Iterable<string>): Set<string> {
	const found = new Set(sources);
	for (const node of graph.nodes)
		if ([...readsOf(node)].some((name) => found.has(name))) for (const output of node.outputs) found.add(output);
	return found;
}
