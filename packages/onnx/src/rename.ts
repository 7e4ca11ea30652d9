import { withBodies } from './bodies.js';
import type { Graph, Node, Value } from './graph.js';

/** The new name of a value. */
export type Naming = (name: string) => string;

/** The node with every value under its new name, also in its bodies; an input or output that is left out ('') stays so. */
export const renamedNode = (node: Node, naming: Naming): Node => {
	const change = (name: string): string => (name === '' ? '' : naming(name));
	return { ...withBodies(node, (body) => renamed(body, naming)), inputs: node.inputs.map(change), outputs: node.outputs.map(change) };
};

/** The graph with every value under its new name, also in the bodies of its nodes. */
export function renamed(graph: Graph, naming: Naming): Graph {
	const value = (one: Value): Value => ({ ...one, name: naming(one.name) });
	return {
		...graph,
		inputs: graph.inputs.map(value),
		outputs: graph.outputs.map(value),
		nodes: graph.nodes.map((node) => renamedNode(node, naming)),
		initializers: new Map([...graph.initializers].map(([name, tensor]) => [naming(name), tensor])),
		values: new Map([...graph.values.values()].map((one) => [naming(one.name), value(one)])),
	};
}
