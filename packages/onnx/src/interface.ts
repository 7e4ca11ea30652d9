import { type FinalActivation, finalActivation } from './final-activation.js';
import type { Dim, Model, Value } from './graph.js';
import { type IdLimit, idLimits } from './id-limits.js';

/** An input or output of a graph as plain data. */
export type Described = { name: string; dtype: string; shape: Dim[] };

/** What a model takes and gives, in the types of its file; of inputs of ids also which there are, and of outputs that end in probabilities also how. */
export function interfaceOf({ graph, halves }: Model): {
	inputs: Array<Described & { limit?: IdLimit }>;
	outputs: Array<Described & { activation?: FinalActivation }>;
} {
	const described = ({ name, dtype, shape }: Value): Described => ({ name, dtype: halves?.get(name) ?? dtype, shape: [...shape] });
	const limits = idLimits(graph);
	return {
		inputs: graph.inputs.map((input) => {
			const limit = limits.get(input.name);
			return { ...described(input), ...(limit === undefined ? {} : { limit }) };
		}),
		outputs: graph.outputs.map((output) => {
			const activation = finalActivation(graph, output.name);
			return { ...described(output), ...(activation === null ? {} : { activation }) };
		}),
	};
}
