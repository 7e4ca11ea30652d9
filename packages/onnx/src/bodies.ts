import type { Attribute, Graph, Node, Value } from './graph.js';

/** The graphs inside a node by the name of their attribute: `body` of Scan and Loop, `then_branch` and `else_branch` of If. */
export const bodiesOf = (node: Node): [string, Graph][] =>
	Object.entries(node.attributes).flatMap(([name, attribute]): [string, Graph][] =>
		attribute.type === 'graph' ? [[name, attribute.value]] : [],
	);

/** The node with another graph in the place of each of its bodies; the node itself where it has none. */
export function withBodies(node: Node, change: (body: Graph, name: string) => Graph): Node {
	const bodies = bodiesOf(node);
	if (bodies.length === 0) return node;
	const changed = bodies.map(([name, body]) => [name, { type: 'graph', value: change(body, name) }] as const);
	return { ...node, attributes: { ...node.attributes, ...Object.fromEntries(changed) } };
}

/** The graph itself and the bodies of its nodes, at any depth. */
export function* graphsWithin(graph: Graph): Generator<Graph> {
	yield graph;
	for (const node of graph.nodes) for (const [, body] of bodiesOf(node)) yield* graphsWithin(body);
}

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

/** Every name of a value in a graph and in its bodies. */
export function* namesOf(graph: Graph): Generator<string> {
	for (const { inputs, initializers, nodes } of graphsWithin(graph)) {
		for (const { name } of inputs) yield name;
		yield* initializers.keys();
		for (const { outputs } of nodes) yield* outputs;
	}
}

/** A list attribute with an entry per stacked output of a Scan, of which only those of the places `kept` stay. */
const ofKept = (attribute: Attribute | undefined, kept: readonly number[]): Attribute | undefined =>
	attribute?.type === 'ints' ? { type: 'ints', value: kept.map((place) => attribute.value[place] ?? 0) } : attribute;

/** A Scan without the stacked outputs that are not `used`, whose body need not make them either; any other node as it is. */
function withoutUnusedStacks(node: Node, used: ReadonlySet<string>): Node {
	const { body, num_scan_inputs: scanned, scan_output_axes: axes, scan_output_directions: directions, ...others } = node.attributes;
	if (node.op !== 'Scan' || body?.type !== 'graph' || scanned?.type !== 'int') return node;
	const carries = node.inputs.length - scanned.value;
	const kept = node.outputs.flatMap((name, i) => (i < carries || used.has(name) ? [i] : []));
	// a Scan gives something
	if (kept.length === node.outputs.length || kept.length === 0) return node;
	const stacks = kept.filter((i) => i >= carries).map((i) => i - carries);
	const places = Object.entries({ scan_output_axes: ofKept(axes, stacks), scan_output_directions: ofKept(directions, stacks) });
	const given = places.flatMap(([name, attribute]) => (attribute === undefined || stacks.length === 0 ? [] : [[name, attribute] as const]));
	const rest = withoutUnused({ ...body.value, outputs: kept.map((i) => body.value.outputs[i] as Value) });
	return {
		...node,
		outputs: kept.map((i) => node.outputs[i] as string),
		attributes: { ...others, ...Object.fromEntries(given), num_scan_inputs: scanned, body: { type: 'graph', value: rest } },
	};
}

/** The graph without the nodes, the stacked outputs of Scans and the initializers that none of its outputs needs. */
export function withoutUnused(graph: Graph): Graph {
	const used = new Set(graph.outputs.map(({ name }) => name));
	const nodes: Node[] = [];
	for (const node of graph.nodes.toReversed()) {
		if (!node.outputs.some((output) => used.has(output))) continue;
		const bare = withoutUnusedStacks(node, used);
		nodes.push(bare);
		for (const name of readsOf(bare)) used.add(name);
	}
	return { ...graph, nodes: nodes.reverse(), initializers: new Map([...graph.initializers].filter(([name]) => used.has(name))) };
}

/** The graph with other nodes in the place of each node, also in the bodies of nodes: these are changed before the node that holds them. */
export const changeNodes = (graph: Graph, change: (node: Node) => readonly Node[]): Graph => ({
	...graph,
	nodes: graph.nodes.flatMap((node) => change(withBodies(node, (body) => changeNodes(body, change)))),
});
