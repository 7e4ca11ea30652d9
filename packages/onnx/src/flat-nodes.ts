import { bodiesOf } from './bodies.js';
import type { Graph } from './graph.js';

/** What one needs of a node to follow values through a graph. A node `Carry` stands for a value that passes into the body of a Loop, Scan or If, or out of it. */
export type FlatNode = {
	readonly op: string;
	readonly name: string;
	readonly inputs: readonly string[];
	readonly outputs: readonly string[];
};

/** How many inputs of a node come before those that its body receives, and how many outputs of the body come before those that the node gives. */
const LEAD: Readonly<Record<string, readonly [inputs: number, bodyOutputs: number]>> = { Loop: [0, 1], Scan: [0, 0], If: [1, 0] };

/** Adds the nodes of a graph, whose names get `prefix`, and of its bodies. Gives the function from a name in the graph to the name in the list. */
function append(graph: Graph, prefix: string, outer: ReadonlyMap<string, string>, nodes: FlatNode[]): (name: string) => string {
	const scope = new Map(outer);
	const own = (name: string): string => {
		if (name !== '') scope.set(name, prefix + name);
		return scope.get(name) ?? name;
	};
	const here = (name: string): string => scope.get(name) ?? name;
	for (const { name } of graph.inputs) own(name);
	for (const name of graph.initializers.keys()) own(name);
	for (const node of graph.nodes) {
		const inputs = node.inputs.map(here);
		const bodies = bodiesOf(node);
		const outputs = node.outputs.map(own);
		const [leadIn, leadOut] = (Object.hasOwn(LEAD, node.op) ? LEAD[node.op] : undefined) ?? [0, 0];
		for (const [key, body] of bodies) {
			const inner = `${prefix}${node.name}/${key}/`;
			const carry = (from: string | undefined, to: string | undefined): void => {
				if (from !== undefined && to !== undefined && from !== '' && to !== '')
					nodes.push({ op: 'Carry', name: node.name, inputs: [from], outputs: [to] });
			};
			body.inputs.forEach(({ name }, i) => carry(inputs[i + leadIn], inner + name));
			const within = append(body, inner, scope, nodes);
			body.outputs.forEach(({ name }, i) => carry(within(name), outputs[i - leadOut]));
		}
		if (bodies.length === 0) nodes.push({ op: node.op, name: node.name, inputs, outputs });
	}
	return here;
}

/** The nodes of a graph and of the bodies in it as one list, in which every name means one value; names of the graph itself stay as they are. */
export function flatNodes(graph: Graph): FlatNode[] {
	const nodes: FlatNode[] = [];
	append(graph, '', new Map(), nodes);
	return nodes;
}
