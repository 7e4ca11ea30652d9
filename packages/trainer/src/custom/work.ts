import { allValues, bodiesOf, type Graph, type Node, type Value } from '@steelyard/onnx';
import { sizeOf } from '@steelyard/runtime';

const size = (value: Value | undefined): number =>
	value === undefined ? 0 : sizeOf(value.shape.map((dim) => (typeof dim === 'number' ? dim : 1)));
const dim = (value: Value | undefined, axis: number): number => {
	const found = value?.shape.at(axis);
	return typeof found === 'number' ? found : 1;
};

function nodeWork(node: Node, known: ReadonlyMap<string, Value>): number {
	const input = (i: number): Value | undefined => known.get(node.inputs[i] ?? '');
	const made = node.outputs.reduce((sum, name) => sum + size(known.get(name)), 0);
	const bodies = bodiesOf(node);
	switch (node.op) {
		case 'MatMul':
			return made * dim(input(0), -1);
		case 'Gemm':
			return made * (size(input(0)) / Math.max(1, dim(known.get(node.outputs[0] ?? ''), 0)));
		case 'Conv':
		case 'ConvTranspose':
			return (node.op === 'Conv' ? made : size(input(0))) * (size(input(1)) / Math.max(1, dim(input(1), 0)));
		case 'LSTM':
		case 'GRU':
		case 'RNN':
			return dim(input(0), 0) * dim(input(0), 1) * (size(input(1)) + size(input(2)));
		default: {
			const steps = bodies.length === 0 ? 0 : Math.max(1, ...node.outputs.map((name) => dim(known.get(name), 0)));
			return made + steps * bodies.reduce((sum, [, body]) => sum + graphWork(body), 0);
		}
	}
}

/** Multiply-adds of a canonical graph, about: products by their sizes, one for every number that another operator gives. */
export function graphWork(graph: Graph): number {
	const known = allValues(graph);
	return graph.nodes.reduce((sum, node) => sum + nodeWork(node, known), 0);
}
