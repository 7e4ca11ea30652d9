import type { Attribute, Graph, Node, Value } from '@steelyard/onnx';

type Naming = (name: string) => string;

const renamedAttribute = (attribute: Attribute, naming: Naming): Attribute =>
	attribute.type === 'graph' ? { type: 'graph', value: renamed(attribute.value, naming) } : attribute;

/** The node with every value, also of its bodies, under another name; '' stays. */
export const renamedNode = (node: Node, naming: Naming): Node => ({
	...node,
	inputs: node.inputs.map((name) => (name === '' ? '' : naming(name))),
	outputs: node.outputs.map((name) => (name === '' ? '' : naming(name))),
	attributes: Object.fromEntries(Object.entries(node.attributes).map(([name, attribute]) => [name, renamedAttribute(attribute, naming)])),
});

/** The graph with every value, also of its bodies, under another name. */
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
