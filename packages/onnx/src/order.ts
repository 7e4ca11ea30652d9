import { readsOf } from './bodies.js';
import { type Graph, GraphError, type Node } from './graph.js';

/** For each node, the places of the nodes whose values it reads, in the order of its reads. */
function placesBefore(nodes: readonly Node[]): number[][] {
	const makers = new Map<string, number>();
	nodes.forEach((node, place) => {
		for (const name of node.outputs) if (name !== '') makers.set(name, place);
	});
	return nodes.map((node) => readsOf(node).flatMap((name) => makers.get(name) ?? []));
}

function circle(nodes: readonly Node[]): GraphError {
	const first = nodes[0] as Node;
	const way = [...nodes, first].map(({ name, op }) => `"${name}" (${op})`).join(' → ');
	return new GraphError('malformed_model', `nodes stand in a circle, each waiting for a value of the next: ${way}`, first.name);
}

/**
 * The graph with its nodes in an order in which each comes after those whose values it reads: in their own order where that is one, else a node whose values are
 * needed sooner moves up just before the first that reads them. Bodies are left as they are. Throws GraphError `malformed_model` with the nodes of a circle.
 */
export function inOrder(graph: Graph): Graph {
	const { nodes } = graph;
	const before = placesBefore(nodes);
	if (before.every((places, place) => places.every((source) => source < place))) return graph;
	const ordered: Node[] = [];
	const state = nodes.map((): 'waiting' | 'open' | 'done' => 'waiting');
	/** How many of the places before each node are known to be done. */
	const passed = nodes.map(() => 0);
	const sourceOf = (place: number): number | undefined => {
		const places = before[place] as number[];
		while (state[places[passed[place] as number] as number] === 'done') (passed[place] as number)++;
		return places[passed[place] as number];
	};
	for (let start = 0; start < nodes.length; start++) {
		// depth first without recursion: a chain of nodes may be longer than the stack
		const path = state[start] === 'waiting' ? [start] : [];
		for (let place = path.at(-1); place !== undefined; place = path.at(-1)) {
			state[place] = 'open';
			const source = sourceOf(place);
			if (source === undefined) {
				ordered.push(nodes[place] as Node);
				state[place] = 'done';
				path.pop();
			} else {
				if (state[source] === 'open') throw circle(path.slice(path.indexOf(source)).map((one) => nodes[one] as Node));
				path.push(source);
			}
		}
	}
	return { ...graph, nodes: ordered };
}
