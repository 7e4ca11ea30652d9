import { bodiesOf, graphsWithin, namesOf } from './bodies.js';
import type { Graph } from './graph.js';
import { renamed } from './rename.js';

const STEM = 'canonical/';

/** The names that nodes read and give, in the order of the nodes, also in bodies; some come more than once. */
function* namesByUse({ nodes, outputs }: Graph): Generator<string> {
	for (const node of nodes) {
		yield* node.inputs;
		for (const [, body] of bodiesOf(node)) yield* namesByUse(body);
		yield* node.outputs;
	}
	for (const { name } of outputs) yield name;
}

/**
 * The graph with names of our own for all values but those of `stays`, the inputs and the outputs, also in bodies, and its initializers in the order of their use.
 * ONNX Runtime's fusions make up names without asking whether they are free: it cannot optimise a graph again that has the names of an earlier fusion, such as those
 * of the shapes of a Reshape.
 */
export function withOwnNames(graph: Graph, stays: Iterable<string>): Graph {
	const kept = new Set([...stays, ...[...graph.inputs, ...graph.outputs].map(({ name }) => name)]);
	let stem = STEM;
	while ([...kept].some((name) => name.startsWith(stem))) stem += '.';
	const names = new Set([...namesByUse(graph), ...namesOf(graph)]);
	const others = [...names].filter((name) => name !== '' && !kept.has(name));
	const made = new Map(others.map((name, i) => [name, `${stem}${i}`]));
	const initializers = new Map([...names].flatMap((name) => (graph.initializers.has(name) ? [[name, graph.initializers.get(name)!]] : [])));
	return renamed({ ...graph, initializers }, (name) => made.get(name) ?? name);
}

/** The names by which a user knows `original` in the graph made of it: not those of integer constants, as a file that the runtime has optimised before has its names. */
export function namesToKeep(original: Graph, graph: Graph): Set<string> {
	const names = new Set([...namesOf(original)].filter((name) => !name.startsWith(STEM)));
	for (const { initializers } of graphsWithin(graph))
		for (const [name, { dtype }] of initializers) if (dtype === 'int64') names.delete(name);
	return names;
}

/** Gives names that stand nowhere in the graph, nor were given before: `stem`, or `stem` with a number. */
export function freeNames(graph: Graph): (stem: string) => string {
	const taken = new Set(namesOf(graph));
	return (stem) => {
		let name = stem;
		for (let i = 1; taken.has(name); i++) name = `${stem}.${i}`;
		taken.add(name);
		return name;
	};
}
