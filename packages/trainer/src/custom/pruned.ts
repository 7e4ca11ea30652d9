import { type Graph, readsOf, reducedTo, type Value } from '@steelyard/onnx';

/** The graph with `outputs` alone, without the nodes, initializers and inputs that they do not need. */
export function pruned(graph: Graph, outputs: readonly string[]): Graph {
	const reduced = reducedTo(
		graph,
		outputs.map((name): Value => graph.outputs.find((output) => output.name === name) ?? { name, dtype: 'float32', shape: [] }),
	);
	const needed = new Set([...outputs, ...reduced.nodes.flatMap((node) => [...readsOf(node)])]);
	return { ...reduced, inputs: graph.inputs.filter(({ name }) => needed.has(name)) };
}
