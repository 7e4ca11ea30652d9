import { type FinalActivation, finalActivation } from './final-activation.js';
import type { Dim, Model, Value } from './graph.js';

/** An input or output of a graph as plain data. */
export type Described = { name: string; dtype: string; shape: Dim[] };

/** What a model takes and gives, in the types of its file; of outputs that end in probabilities also how. */
export function interfaceOf({ graph, halves }: Model): {
	inputs: Described[];
	outputs: Array<Described & { activation?: FinalActivation }>;
} {
	const described = ({ name, dtype, shape }: Value): Described => ({ name, dtype: halves?.get(name) ?? dtype, shape: [...shape] });
	return {
		inputs: graph.inputs.map(described),
		outputs: graph.outputs.map((output) => {
			const activation = finalActivation(graph, output.name);
			return { ...described(output), ...(activation === null ? {} : { activation }) };
		}),
	};
}
