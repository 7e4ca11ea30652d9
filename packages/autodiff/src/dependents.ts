import { type Graph, readsOf, type Value } from '@steelyard/onnx';
import { zeroGradient } from './rules/zero-gradient.js';

const floats: readonly string[] = ['float16', 'float32', 'float64'];

/** Whether a value is of a floating type. */
export const isFloat = (value: Value | null | undefined): boolean => floats.includes(value?.dtype ?? '');

/** Values that depend on `sources`, these among them. */
export function dependents(graph: Graph, sources: Iterable<string>): Set<string> {
	const found = new Set(sources);
	for (const node of graph.nodes)
		if (!Object.hasOwn(zeroGradient, node.op) && readsOf(node).some((name) => found.has(name)))
			for (const output of node.outputs) if (output !== '') found.add(output);
	return found;
}
