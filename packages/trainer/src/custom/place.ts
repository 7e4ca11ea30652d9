import { dependentsOf, type Graph, type GraphBuilder, type Node, renamedNode, type Value } from '@steelyard/onnx';

/** Adds the rest of a placed graph for given late inputs; the function that comes back gives the name that a value of the graph has in the builder. */
export type Rest = (late: ReadonlyMap<string, Value>) => (name: string) => string;

const part = (graph: Graph, nodes: readonly Node[]): Graph => ({
	...graph,
	nodes,
	inputs: [],
	outputs: [],
	initializers: new Map(),
	values: new Map(),
});

/**
 * Adds a graph to a builder: what `bound` names (inputs, initializers) is a value of the builder already; what depends on the inputs `late` is added by the
 * function that comes back, each time anew. Initializers that are not bound are shared by all graphs that are placed in one builder.
 */
export function place(g: GraphBuilder, graph: Graph, bound: ReadonlyMap<string, Value>, late: readonly string[], scope: string): Rest {
	const after = dependentsOf(graph, late);
	const isLate = (node: Node): boolean => node.outputs.some((name) => after.has(name));
	const early = graph.nodes.filter((node) => !isLate(node));
	const made = new Set([...bound.keys(), ...graph.initializers.keys(), ...early.flatMap(({ outputs }) => outputs)]);
	const earlyName = (name: string): string =>
		bound.get(name)?.name ?? (graph.initializers.has(name) ? `frozen/${name}` : `${scope}/${name}`);
	for (const [name, value] of graph.initializers) if (!bound.has(name) && !g.has(earlyName(name))) g.initializer(earlyName(name), value);
	const add = (nodes: readonly Node[], naming: (name: string) => string, stem: string): void =>
		g.append(
			part(
				graph,
				nodes.map((node) => ({ ...renamedNode(node, naming), name: `${stem}/${node.name}` })),
			),
		);
	add(early, earlyName, scope);
	let passes = 0;
	return (lateBound) => {
		const pass = `${scope}/pass${++passes}`;
		const naming = (name: string): string => lateBound.get(name)?.name ?? (made.has(name) ? earlyName(name) : `${pass}/${name}`);
		add(graph.nodes.filter(isLate), naming, pass);
		return naming;
	};
}
