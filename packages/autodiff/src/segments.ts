import { allValues, bodiesOf, type Graph, type Node, readsOf } from '@steelyard/onnx';
import { product } from './axes.js';
import { drawing } from './rules/control.js';

/** A forward pass cut into segments. */
export type Segments = {
	/** The segment in which a value is computed, by its name; only for outputs of nodes. */
	readonly segmentOf: ReadonlyMap<string, number>;
	/** The values that are read beyond their segment, and those that may not be computed twice. */
	readonly kept: ReadonlySet<string>;
	readonly count: number;
};

/** For the place before each node, how many elements are alive there: computed before it, and read by the node or later. */
function widths(graph: Graph, nodes: readonly Node[], lastRead: ReadonlyMap<string, number>): number[] {
	const known = allValues(graph);
	const all = new Array<number>(nodes.length).fill(0);
	nodes.forEach(({ outputs }, made) => {
		for (const output of outputs) {
			const value = known.get(output);
			// a dimension that only a run knows counts as 1
			const size = value === undefined ? 0 : product(value.shape.map((dim) => (typeof dim === 'number' ? dim : 1)));
			for (let at = made + 1; at <= (lastRead.get(output) ?? 0); at++) all[at] = (all[at] as number) + size;
		}
	});
	return all;
}

/** About √n cuts through n nodes: evenly spread, then moved by up to half a segment to where the fewest elements are alive. */
function cutsThrough(width: readonly number[]): number[] {
	const count = Math.round(Math.sqrt(width.length));
	const length = width.length / count;
	return Array.from({ length: count - 1 }, (_, i) => {
		const from = Math.ceil((i + 0.5) * length);
		const near = width.slice(from, Math.ceil((i + 1.5) * length));
		return from + near.indexOf(Math.min(...near));
	}).filter((cut, i, all) => cut > 0 && all.indexOf(cut) === i);
}

/** Cuts the forward pass `nodes`, in their order, into about √n segments at narrow places. */
export function segmentsOf(graph: Graph, nodes: readonly Node[]): Segments {
	const lastRead = new Map(nodes.flatMap((node, at) => readsOf(node).map((name) => [name, at] as const)));
	const cuts = cutsThrough(widths(graph, nodes, lastRead));
	const segmentAt = (at: number): number => cuts.filter((cut) => cut <= at).length;
	const segmentOf = new Map<string, number>();
	const kept = new Set<string>();
	nodes.forEach((node, at) => {
		const isRepeatable = bodiesOf(node).length === 0 && drawing({ ...graph, nodes: [node] }) === undefined;
		for (const output of node.outputs.filter((name) => name !== '')) {
			segmentOf.set(output, segmentAt(at));
			if (!isRepeatable || segmentAt(lastRead.get(output) ?? at) > segmentAt(at)) kept.add(output);
		}
	});
	return { segmentOf, kept, count: cuts.length + 1 };
}
