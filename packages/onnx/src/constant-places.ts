import { sizeOf, type Tensor, tensor } from '@steelyard/runtime';
import type { Graph, Node } from './graph.js';

/** Where x is not zero, as NonZero gives it: [axes, places], in the order of the elements. */
function placesOf({ dtype, shape, data }: Tensor): Tensor {
	const isZero = (value: number | bigint): boolean => (dtype === 'float16' ? (Number(value) & 0x7fff) === 0 : Number(value) === 0);
	const found = Array.from(data as ArrayLike<number | bigint>).flatMap((value, i) => (isZero(value) ? [] : [i]));
	const along = shape.map((size, axis) => {
		const stride = sizeOf(shape.slice(axis + 1));
		return found.map((i) => Math.floor(i / stride) % size);
	});
	return tensor('int64', [shape.length, found.length], along.flat());
}

/** The graph with what NonZero gives of constants as constants, which the runtime does not fold; the graph itself where it has none of these. */
export function withConstantPlaces(graph: Graph): Graph {
	const initializers = new Map(graph.initializers);
	const nodes = graph.nodes.filter(({ op, inputs, outputs }: Node) => {
		const constant = op === 'NonZero' ? graph.initializers.get(inputs[0] ?? '') : undefined;
		if (constant === undefined || constant.shape.length === 0) return true;
		initializers.set(outputs[0] as string, placesOf(constant));
		return false;
	});
	return nodes.length === graph.nodes.length ? graph : { ...graph, nodes, initializers };
}
