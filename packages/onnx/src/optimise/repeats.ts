import { bodiesOf, readsOf } from '../bodies.js';
import type { Graph, Node } from '../graph.js';
import { renamedNode } from '../rename.js';

/** Operators that draw random numbers: two equal nodes of one give different values. */
const drawing = /^(Random|Multinomial|Bernoulli|Dropout)/;

/** What a node computes, as text. */
function textOf({ op, inputs, outputs, attributes }: Node): string {
	const isThere = outputs.map((name) => (name === '' ? '-' : '+')).join('');
	const numbers = (_: string, value: unknown): unknown =>
		typeof value === 'bigint' ? `${value}n` : ArrayBuffer.isView(value) ? Array.from(value as Uint8Array) : value;
	const named = Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1));
	return [op, ...inputs, isThere, named.length === 0 ? '' : JSON.stringify(named, numbers)].join('\n');
}

/** Up to so many elements a constant is compared with others. */
const SMALL = 1024;

/** Each small constant once: the name of a later one → that of the first that equals it. */
function repeatedConstants(graph: Graph): Map<string, string> {
	const first = new Map<string, string>();
	const repeats = new Map<string, string>();
	for (const [name, { dtype, shape, data }] of graph.initializers) {
		if (data.length > SMALL || !ArrayBuffer.isView(data)) continue;
		const bytes = Buffer.from(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength).toString('base64');
		const key = `${dtype}[${shape}]${bytes}`;
		const known = first.get(key);
		if (known === undefined) first.set(key, name);
		else repeats.set(name, known);
	}
	return repeats;
}

/**
 * The graph in which every value is computed once (common subexpressions): of nodes with the same operator, inputs and attributes, the first stays. A node with a
 * body, one that draws random numbers and one that gives an output of the graph stay as they are.
 */
export function withoutRepeats(graph: Graph): Graph {
	const outputs = new Set(graph.outputs.map(({ name }) => name));
	const instead = repeatedConstants(graph);
	for (const name of outputs) instead.delete(name);
	const firsts = new Map<string, Node>();
	const nodes: Node[] = [];
	for (const given of graph.nodes) {
		const node = readsOf(given).some((name) => instead.has(name)) ? renamedNode(given, (name) => instead.get(name) ?? name) : given;
		if (bodiesOf(node).length === 0 && !drawing.test(node.op) && !node.outputs.some((name) => outputs.has(name))) {
			const text = textOf(node);
			const first = firsts.get(text);
			if (first !== undefined) {
				node.outputs.forEach((name, i) => {
					if (name !== '') instead.set(name, first.outputs[i] as string);
				});
				continue;
			}
			firsts.set(text, node);
		}
		nodes.push(node);
	}
	return { ...graph, nodes };
}
