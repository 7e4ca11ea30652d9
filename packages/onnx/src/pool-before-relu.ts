import { readsOf } from './bodies.js';
import { allValues, type Graph, type Node, type Value } from './graph.js';

/**
 * The graph with MaxPool before Relu where it stood behind it and nothing else reads what Relu gives: the results are the same, and so are the gradients, but Relu and its
 * gradient have fewer numbers to go through.
 */
export function poolBeforeRelu(graph: Graph): Graph {
	const known = allValues(graph);
	const reads = graph.nodes.flatMap(readsOf);
	const isReadOnce = (name: string): boolean =>
		reads.indexOf(name) === reads.lastIndexOf(name) && !graph.outputs.some((output) => output.name === name);
	const relus = new Map(graph.nodes.flatMap((node) => (node.op === 'Relu' ? [[node.outputs[0] as string, node] as const] : [])));
	const values = new Map(graph.values);
	const moved = new Set<Node>();
	const nodes = graph.nodes.flatMap((node) => {
		const relu = relus.get(node.inputs[0] ?? '');
		const [rectified = '', pooled = ''] = [node.inputs[0], node.outputs[0]];
		if (node.op !== 'MaxPool' || node.outputs.length > 1 || relu === undefined || !isReadOnce(rectified)) return [node];
		moved.add(relu);
		// the value between the two keeps its name, but has the shape of the result
		values.set(rectified, { ...(known.get(pooled) as Value), name: rectified });
		return [
			{ ...node, inputs: relu.inputs, outputs: [rectified] },
			{ ...relu, inputs: [rectified], outputs: [pooled] },
		];
	});
	return { ...graph, nodes: nodes.filter((node) => !moved.has(node)), values };
}
