import type { Graph } from './graph.js';

/** How many rows the table has that an input of a graph is looked up in, and the name of the table. */
export type IdLimit = { readonly size: number; readonly table: string };

/** Operators whose one data input comes out with all of its numbers and no other. */
const CARRIES: ReadonlySet<string> = new Set(['Cast', 'Flatten', 'Identity', 'Reshape', 'Squeeze', 'Transpose', 'Unsqueeze']);

/**
 * The inputs whose every number is an id of a row: those that a Gather looks up in an initializer along its first axis, directly or behind operators that only cast or
 * reshape. Of several tables the smallest one counts. An input that is cut up before has no limit here, since its parts may be looked up in different tables.
 */
export function idLimits(graph: Graph): Map<string, IdLimit> {
	const limits = new Map<string, IdLimit>();
	const inputOf = new Map(graph.inputs.map(({ name }) => [name, name]));
	for (const { op, inputs, outputs, attributes } of graph.nodes) {
		const [data = '', indices = ''] = inputs;
		const carried = CARRIES.has(op) ? inputOf.get(data) : undefined;
		if (carried !== undefined && outputs[0] !== undefined) inputOf.set(outputs[0], carried);
		const input = op === 'Gather' && (attributes['axis']?.value ?? 0) === 0 ? inputOf.get(indices) : undefined;
		const size = graph.initializers.get(data)?.shape[0];
		if (input === undefined || size === undefined) continue;
		const known = limits.get(input);
		if (known === undefined || size < known.size) limits.set(input, { size, table: data });
	}
	return limits;
}
