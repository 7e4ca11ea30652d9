import { type FinalActivation, finalActivation } from './final-activation.js';
import type { Dim, Graph, Value } from './graph.js';

/** An input or output of a graph as plain data. */
export type Described = { name: string; dtype: string; shape: Dim[] };

const described = ({ name, dtype, shape }: Value): Described => ({ name, dtype, shape: [...shape] });

/** What a graph takes and gives; of outputs that end in probabilities also how. */
export const interfaceOf = (graph: Graph): { inputs: Described[]; outputs: Array<Described & { activation?: FinalActivation }> } => ({
	inputs: graph.inputs.map(described),
	outputs: graph.outputs.map((output) => {
		const activation = finalActivation(graph, output.name);
		return { ...described(output), ...(activation === null ? {} : { activation }) };
	}),
});
