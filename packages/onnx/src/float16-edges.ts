import { tensor } from '@steelyard/runtime';
import { dataTypeOf } from './data-types.js';
import { allValues, type Graph, type Node, type Value } from './graph.js';
import { renamed } from './rename.js';

/**
 * A graph that computes in float32, with float16 at its edges: its inputs and initializers of these names are float16 and cast as they come in, its outputs of these
 * names are cast as they go out. Initializers are rounded to the nearest float16. Names that are no edge of the graph, or no float32, are left aside.
 */
export function withFloat16Edges(graph: Graph, names: ReadonlySet<string>): Graph {
	const known = allValues(graph);
	let stem = 'float32/';
	while ([...known.keys()].some((name) => name.startsWith(stem))) stem += '.';
	const isEdge = ({ name, dtype }: { name: string; dtype: string }): boolean => dtype === 'float32' && names.has(name);
	const incoming = [...graph.inputs, ...[...graph.initializers].map(([name, { dtype, shape }]) => ({ name, dtype, shape }))].filter(isEdge);
	const outgoing = graph.outputs.filter(isEdge);
	if (incoming.length + outgoing.length === 0) return graph;
	const edges = new Set([...incoming, ...outgoing].map(({ name }) => name));
	const inner = renamed(graph, (name) => (edges.has(name) ? stem + name : name));
	const cast = (from: string, to: string, dtype: 'float16' | 'float32'): Node => ({
		name: `${stem}Cast ${from}`,
		op: 'Cast',
		inputs: [from],
		outputs: [to],
		attributes: { to: { type: 'int', value: dataTypeOf(dtype) } },
	});
	const half = (value: Value): Value => (isEdge(value) ? { ...value, dtype: 'float16' } : value);
	return {
		...inner,
		inputs: graph.inputs.map(half),
		outputs: graph.outputs.map(half),
		initializers: new Map(
			[...graph.initializers].map(([name, value]) => [
				name,
				isEdge({ name, dtype: value.dtype }) ? tensor('float16', value.shape, value.data) : value,
			]),
		),
		values: new Map([...inner.values].filter(([name]) => !edges.has(name))),
		nodes: [
			...incoming.map(({ name }) => cast(name, stem + name, 'float32')),
			...inner.nodes,
			...outgoing.map(({ name }) => cast(stem + name, name, 'float16')),
		],
	};
}
