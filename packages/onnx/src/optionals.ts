import { tensor } from '@steelyard/runtime';
import { readsOf, withBodies } from './bodies.js';
import type { Graph, Node } from './graph.js';

/** What an optional holds: the name of its element, '' for none. */
type Elements = ReadonlyMap<string, string>;

/**
 * The graph without optionals whose state its own nodes decide: whether such a one has an element is a constant, and what is got of it is the element. One whose
 * state is known only where it runs stays.
 */
export function withoutOptionals(graph: Graph, around: Elements = new Map()): Graph {
	if (around.size === 0 && !graph.nodes.some(({ op }) => op === 'Optional')) return graph;
	const elements = new Map(around);
	for (const { op, inputs, outputs } of graph.nodes) if (op === 'Optional') elements.set(outputs[0] ?? '', inputs[0] ?? '');
	const changed = (node: Node): Node => {
		const element = elements.get(node.inputs[0] ?? '');
		if (element === undefined) return node;
		if (node.op === 'OptionalHasElement')
			return {
				...node,
				op: 'Constant',
				inputs: [],
				attributes: { value: { type: 'tensor', value: tensor('bool', [], [Number(element !== '')]) } },
			};
		return node.op === 'OptionalGetElement' && element !== '' ? { ...node, op: 'Identity', inputs: [element] } : node;
	};
	const nodes = graph.nodes.map((node) => withBodies(changed(node), (body) => withoutOptionals(body, elements)));
	const read = new Set([...nodes.flatMap(readsOf), ...graph.outputs.map(({ name }) => name)]);
	return { ...graph, nodes: nodes.filter(({ op, outputs: [output = ''] }) => op !== 'Optional' || read.has(output)) };
}
