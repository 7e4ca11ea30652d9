import type { Tensor } from '@steelyard/runtime';
import { readsOf, withoutUnused } from '../bodies.js';
import { GraphBuilder } from '../builder.js';
import { allValues, type Graph, type Node, type Value } from '../graph.js';
import { renamedNode } from '../rename.js';

/** What a rewriting sees of the graph around a node. */
export type Place = {
	/** Builds the new graph, which holds all nodes before this one. */
	readonly g: GraphBuilder;
	/** The value of that name; undefined where its type is not known. */
	valueOf(name: string): Value | undefined;
	/** The node of the new graph that gives a value. */
	makerOf(name: string): Node | undefined;
	/** How many nodes and outputs of the graph read a value, at most. */
	readsOf(name: string): number;
	/** A constant of the graph. */
	constant(name: string): Tensor | undefined;
};

/** Gives the value that stands for the only output of the node, or null where the node stays. */
export type Rewriting = (node: Node, place: Place) => Value | null;

/** How often each value is read, by nodes, by their bodies and as an output of the graph. */
function readCounts(graph: Graph): Map<string, number> {
	const counts = new Map<string, number>();
	const count = (name: string): unknown => counts.set(name, (counts.get(name) ?? 0) + 1);
	for (const node of graph.nodes) for (const name of readsOf(node)) count(name);
	for (const { name } of graph.outputs) count(name);
	return counts;
}

/**
 * The graph in which other values stand for the outputs of nodes, by the rewriting of their operators. It walks through the nodes once, in their order: a rewriting
 * sees what became of the nodes before. Nodes that are no longer read are left out. Bodies stay as they are.
 */
export function rewritten(graph: Graph, rewritings: Readonly<Record<string, Rewriting>>, prefix: string): Graph {
	const types = allValues(graph);
	const counts = readCounts(graph);
	/** The name of a value → the name of the value that stands for it. */
	const instead = new Map<string, string>();
	const makers = new Map<string, Node>();
	// nested, so that no name of the whole graph is made up anew
	const g = GraphBuilder.from(graph, prefix).nested();
	for (const { name, dtype, shape } of graph.inputs) g.input(name, dtype, shape);
	g.append({ name: '', nodes: [], inputs: [], outputs: [], initializers: graph.initializers, values: new Map() });
	let seen = 0;
	/** Takes note of the nodes that were added since the last call. */
	const noteNodes = (): void => {
		for (; seen < g.nodes.length; seen++) for (const output of (g.nodes[seen] as Node).outputs) makers.set(output, g.nodes[seen] as Node);
	};
	const place: Place = {
		g,
		valueOf: (name) => types.get(name) ?? (g.has(name) ? g.value(name) : undefined),
		makerOf: (name) => {
			noteNodes();
			return makers.get(name);
		},
		// what a rewriting adds is read by what it adds next
		readsOf: (name) => counts.get(name) ?? 1,
		constant: (name) => graph.initializers.get(name),
	};
	for (const given of graph.nodes) {
		const node = readsOf(given).some((name) => instead.has(name)) ? renamedNode(given, (name) => instead.get(name) ?? name) : given;
		const output = given.outputs[0] as string;
		const rewriting = given.outputs.length === 1 && Object.hasOwn(rewritings, node.op) ? rewritings[node.op] : undefined;
		const by = rewriting?.(node, place) ?? null;
		if (by === null) {
			g.keep(node, types);
			continue;
		}
		instead.set(output, by.name);
		counts.set(by.name, (counts.get(output) ?? 0) + (counts.get(by.name) ?? 0));
	}
	for (const output of graph.outputs) {
		const by = instead.get(output.name);
		g.output(output.name, by === undefined ? output : { ...output, name: by });
	}
	return withoutUnused(g.build(graph.name));
}
