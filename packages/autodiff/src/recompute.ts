import { allValues, bodiesOf, type Graph, type GraphBuilder, type Node, readsOf, type Value } from '@steelyard/onnx';
import { segmentsOf } from './segments.js';

/** A graph without anything, to which nodes are added. */
const EMPTY = { name: '', inputs: [], outputs: [], initializers: new Map<string, never>() };

/** The forward nodes, in their order, that compute `wanted` from values for which `stop` holds. */
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

/** The values of these nodes that none of them reads: who waits for them waits for all of the nodes. */
function unreadOf(nodes: readonly Node[]): string[] {
	const read = new Set(nodes.flatMap(readsOf));
	return nodes.flatMap(({ outputs }) => outputs.filter((output) => output !== '' && !read.has(output)));
}

/**
 * The graph with another backward pass: of the forward pass it reads only what crosses between segments, and computes the rest of a segment again when it gets there.
 * The first `forwardCount` nodes are the forward pass; `r` is an empty builder.
 *
 * A runtime may run a node as soon as its inputs are there, and so might compute a segment again at once. To prevent that, what a segment starts from passes a
 * Reshape to its own shape, into which the gradients of the segment behind it enter as Shape(…, start = 0, end = 0), which has no elements: so the Reshape has to
 * wait for these gradients. It copies nothing, and the gradients stay the same to the bit.
 */
export function recomputing(graph: Graph, forwardCount: number, r: GraphBuilder): Graph {
	const forward = graph.nodes.slice(0, forwardCount);
	const backward = graph.nodes.slice(forwardCount);
	const { segmentOf, kept } = segmentsOf(graph, forward);
	const types = allValues(graph);
	// a body reads values by their names, which therefore stay
	const inBodies = new Set(backward.flatMap((node) => (bodiesOf(node).length === 0 ? [] : readsOf(node))));
	const stays = (name: string): boolean => !segmentOf.has(name) || kept.has(name) || inBodies.has(name);

	for (const { name, dtype, shape } of graph.inputs) r.input(name, dtype, shape);
	r.append({ ...graph, nodes: forward });
	/** The name of a value → the name of the same value when it is computed again. */
	const again = new Map<string, string>();
	const recompute = (segment: number, nothing: Value): void => {
		const wanted = backward.flatMap(readsOf).filter((name) => segmentOf.get(name) === segment && !stays(name));
		/** What the segment starts from → the same behind a Reshape that waits. */
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
			// it depends on constants alone: nothing of it could wait
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
	/** No elements, of values that are there only after the backward pass of the segment behind. */
	let nothing: Value | null = null;
	for (const node of backward) {
		for (const name of readsOf(node)) {
			const segment = segmentOf.get(name);
			if (segment === undefined || stays(name) || seen.has(segment)) continue;
			seen.add(segment);
			const open = unreadOf(since).map((one) => types.get(one) as Value);
			if (open.length > 0)
				nothing = r.concat(
					open.map((value) => r.op('Shape', [value], { start: 0, end: 0 }, { dtype: 'int64', shape: [0] })),
					0,
				);
			since = [];
			// the last segment is still in memory when its backward pass begins
			if (nothing !== null) recompute(segment, nothing);
		}
		r.append({ ...EMPTY, nodes: [{ ...node, inputs: node.inputs.map((name) => again.get(name) ?? name) }], values: new Map() });
		since.push(node);
	}
	for (const output of graph.outputs) r.output(output.name, output);
	return r.build(graph.name);
}
