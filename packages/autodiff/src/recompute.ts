import { allValues, bodiesOf, type Graph, type GraphBuilder, type Node, readsOf, type Value } from '@steelyard/onnx';
import { segmentsOf } from './segments.js';

const EMPTY = { name: '', inputs: [], outputs: [], initializers: new Map<string, never>() };

/** Forward nodes that make `wanted` again from values for which `stop` holds; in their order. */
function makersOf(nodes: readonly Node[], wanted: Iterable<string>, stop: (name: string) => boolean): Node[] {
	const missing = new Set(wanted);
	return nodes
		.toReversed()
		.filter(({ outputs, inputs }) => {
			if (!outputs.some((output) => missing.has(output))) return false;
			for (const input of inputs) if (!stop(input)) missing.add(input);
			return true;
		})
		.reverse();
}

/** What stands in the backward pass since the last segment was made again and is read by nothing there: to wait for it is to wait for all of that. */
function openOf(nodes: readonly Node[]): string[] {
	const read = new Set(nodes.flatMap(readsOf));
	return nodes.flatMap(({ outputs }) => outputs.filter((output) => output !== '' && !read.has(output)));
}

/**
 * The graph with a backward pass that keeps of the forward one only what crosses between segments of it, and makes the rest of a segment again when it needs
 * it. The first `forwardCount` nodes are the forward pass; `r` is an empty builder. A runtime may run a node as soon as it has its inputs. So that a segment is not made
 * again before its time, what it starts from passes a Reshape to the shape that it has, which waits, for nothing of their numbers, for the gradients of
 * the segment behind it: Shape(…, start = 0, end = 0) has no element. A Reshape copies nothing, and the gradients stay the same to the bit.
 */
export function recomputing(graph: Graph, forwardCount: number, r: GraphBuilder): Graph {
	const forward = graph.nodes.slice(0, forwardCount);
	const backward = graph.nodes.slice(forwardCount);
	const { segmentOf, kept } = segmentsOf(graph, forward);
	const types = allValues(graph);
	const inBodies = new Set(backward.flatMap((node) => (bodiesOf(node).length === 0 ? [] : readsOf(node))));
	const stays = (name: string): boolean => !segmentOf.has(name) || kept.has(name) || inBodies.has(name);

	for (const { name, dtype, shape } of graph.inputs) r.input(name, dtype, shape);
	r.append({ ...graph, nodes: forward });
	const again = new Map<string, string>();
	const remake = (segment: number, nothing: Value): void => {
		const wanted = backward.flatMap(readsOf).filter((name) => segmentOf.get(name) === segment && !stays(name));
		const late = new Map<string, string>();
		const waiting = (name: string): string => {
			const value = types.get(name) as Value;
			// 0 stands for the size that the axis has
			const shape = r.concat([r.ints(value.shape.map((dim) => (typeof dim === 'number' ? dim : 0))), nothing], 0);
			late.set(name, r.op('Reshape', [value, shape], {}, { shape: value.shape }).name);
			return late.get(name) as string;
		};
		const fixed = (name: string): boolean => name === '' || graph.initializers.has(name);
		for (const node of makersOf(forward, wanted, stays)) {
			// there is nothing in it that could wait
			if (node.inputs.every(fixed)) continue;
			const inputs = node.inputs.map((name) => (fixed(name) ? name : (again.get(name) ?? late.get(name) ?? waiting(name))));
			const made = node.outputs.map((name) => (name === '' ? null : r.fresh(node.op, types.get(name)!.dtype, types.get(name)!.shape)));
			node.outputs.forEach((name, i) => {
				if (made[i]) again.set(name, made[i].name);
			});
			const values = new Map(made.flatMap((value) => (value === null ? [] : [[value.name, value] as const])));
			r.append({ ...EMPTY, nodes: [{ ...node, inputs, outputs: made.map((value) => value?.name ?? '') }], values });
		}
	};

	const seen = new Set<number>();
	let since: Node[] = [];
	let nothing: Value | null = null;
	for (const node of backward) {
		for (const name of readsOf(node)) {
			const segment = segmentOf.get(name);
			if (segment === undefined || stays(name) || seen.has(segment)) continue;
			seen.add(segment);
			const open = openOf(since).map((one) => types.get(one) as Value);
			if (open.length > 0)
				nothing = r.concat(
					open.map((value) => r.op('Shape', [value], { start: 0, end: 0 }, { dtype: 'int64', shape: [0] })),
					0,
				);
			since = [];
			// the last segment is still there when its backward pass begins
			if (nothing !== null) remake(segment, nothing);
		}
		r.append({ ...EMPTY, nodes: [{ ...node, inputs: node.inputs.map((name) => again.get(name) ?? name) }], values: new Map() });
		since.push(node);
	}
	for (const output of graph.outputs) r.output(output.name, output);
	return r.build(graph.name);
}
