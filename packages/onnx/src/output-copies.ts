import { bodiesOf, captured } from './bodies.js';
import type { Graph } from './graph.js';
import { renamedNode } from './rename.js';

/**
 * The graph in which a node gives an output of the graph itself, where an Identity copied its value to the output: the runtime really copies it. An Identity of an
 * input or an initializer stays, and one of a value that is an output already or that a body reads.
 */
export function withoutOutputCopies(graph: Graph): Graph {
	const outputs = new Set(graph.outputs.map(({ name }) => name));
	const made = new Set(graph.nodes.flatMap((node) => node.outputs));
	const inBodies = new Set(graph.nodes.flatMap((node) => bodiesOf(node).flatMap(([, body]) => captured(body))));
	const names = new Map<string, string>();
	for (const { op, inputs, outputs: given } of graph.nodes) {
		const [from, to] = [inputs[0] as string, given[0] as string];
		if (op === 'Identity' && outputs.has(to) && made.has(from) && ![outputs, inBodies, names].some((taken) => taken.has(from)))
			names.set(from, to);
	}
	const nodes = graph.nodes
		.filter(({ op, inputs, outputs: given }) => !(op === 'Identity' && names.get(inputs[0] as string) === given[0]))
		.map((node) => renamedNode(node, (name) => names.get(name) ?? name));
	const values = new Map([...graph.values].filter(([name]) => !names.has(name)));
	return { ...graph, nodes, values };
}
