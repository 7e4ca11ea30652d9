import type { Graph } from '@steelyard/onnx';

/** Where a size of the inputs is left open: by name, the first input and axis that has it. */
export function freeDims(graph: Graph): Map<string, { input: string; axis: number; rank: number }> {
	const found = new Map<string, { input: string; axis: number; rank: number }>();
	for (const { name, shape } of graph.inputs)
		shape.forEach((dim, axis) => {
			if (typeof dim === 'string' && !found.has(dim)) found.set(dim, { input: name, axis, rank: shape.length });
		});
	return found;
}
