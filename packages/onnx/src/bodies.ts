import type { Graph, Node } from './graph.js';

/** The graphs inside a node by the name of their attribute: `body` of Scan and Loop, `then_branch` and `else_branch` of If. */
export const bodiesOf = (node: Node): [string, Graph][] =>
	Object.entries(node.attributes).flatMap(([name, attribute]): [string, Graph][] =>
		attribute.type === 'graph' ? [[name, attribute.value]] : [],
	);

/** The names that a graph reads from the graph around it, each once, in the order of their first use. */
export function captured(graph: Graph): string[] {
	const own = new Set<string>([...graph.inputs.map(({ name }) => name), ...graph.initializers.keys()]);
	for (const node of graph.nodes) for (const output of node.outputs) own.add(output);
	const names = [...graph.nodes.flatMap(readsOf), ...graph.outputs.map(({ name }) => name)];
	return [...new Set(names)].filter((name) => name !== '' && !own.has(name));
}

/** What a node reads: its inputs, then the names that its bodies capture, which may stand among its inputs too. */
export function readsOf(node: Node): readonly string[] {
	const bodies = bodiesOf(node);
	return bodies.length === 0 ? node.inputs : [...node.inputs, ...new Set(bodies.flatMap(([, body]) => captured(body)))];
}

/** Every name in a graph and in its bodies. */
export function* namesOf(graph: Graph): Generator<string> {
	for (const { name } of graph.inputs) yield name;
	yield* graph.initializers.keys();
	for (const node of graph.nodes) {
		yield* node.outputs;
		for (const [, body] of bodiesOf(node)) yield* namesOf(body);
	}
}

/** The graph without the nodes and initializers that none of its outputs needs. */
export function withoutUnused(graph: Graph): Graph {
	const used = new Set(graph.outputs.map(({ name }) => name));
	const nodes: Node[] = [];
	for (const node of graph.nodes.toReversed()) {
		if (!node.outputs.some((output) => used.has(output))) continue;
		nodes.push(node);
		for (const name of readsOf(node)) used.add(name);
	}
	return { ...graph, nodes: nodes.reverse(), initializers: new Map([...graph.initializers].filter(([name]) => used.has(name))) };
}

/** The graph with other nodes in the place of each, in the bodies of nodes as well, whose own nodes are changed first. */
export const changeNodes = (graph: Graph, change: (node: Node) => readonly Node[]): Graph => ({
	...graph,
	nodes: graph.nodes.flatMap((node) => {
		const bodies = bodiesOf(node);
		if (bodies.length === 0) return change(node);
		const changed = bodies.map(([name, body]) => [name, { type: 'graph', value: changeNodes(body, change) }] as const);
		return change({ ...node, attributes: { ...node.attributes, ...Object.fromEntries(changed) } });
	}),
});
