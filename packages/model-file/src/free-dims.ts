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

/** The size that is given for a dimension; undefined where there is none, also for a name that every object has, such as `constructor`. */
export const sizeGiven = (dims: Readonly<Record<string, number>>, name: string): number | undefined =>
	Object.hasOwn(dims, name) ? dims[name] : undefined;
