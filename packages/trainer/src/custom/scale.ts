import { type CustomConfig, ProblemError } from '@steelyard/contracts';
import type { ModalityShape } from '@steelyard/family';
import { type Graph, type Node, renamedNode, type Value } from '@steelyard/onnx';
import { tensor } from '@steelyard/runtime';

/**
 * The graph with (x · factor − mean) / std, in float32, behind each input of a modality that the job scales; such an input takes the type of the dataset. Throws
 * ProblemError for a graph that scales the input so already, as the file that such a job gives does.
 */
export function withScale({ inputs, scale = {} }: CustomConfig, graph: Graph, modalities: readonly ModalityShape[]): Graph {
	const initializers = new Map(graph.initializers);
	const raw = new Map<string, Value>();
	const scaled = new Map<string, string>();
	const nodes: Node[] = [];
	for (const { name: modality, dtype = 'float32' } of modalities) {
		const scaling = Object.hasOwn(scale, modality) ? scale[modality] : undefined;
		if (scaling === undefined) continue;
		const { factor, mean, std, axis = 1 } = scaling;
		const input = graph.inputs.find(({ name }) => name === inputs[modality]) as Value;
		// by names in '.mean' and '.std', inspection of the trained file knows buffers
		const stem = `steelyard/scale/${input.name}`;
		if (graph.nodes.some(({ outputs }) => outputs.some((name) => name.startsWith(`${stem}/`))))
			throw new ProblemError(
				'invalid_model',
				`The model scales its input "${input.name}" already, as model.scale of an earlier job said; leave ${modality} out`,
				`model.scale.${modality}`,
			);
		let value = input.name;
		const add = (op: string, more: string[], attributes: Node['attributes'] = {}): void => {
			const output = `${stem}/${op}`;
			nodes.push({ name: output, op, inputs: [value, ...more], outputs: [output], attributes });
			value = output;
		};
		const by = (op: string, part: string, shape: number[], numbers: readonly number[]): void => {
			initializers.set(`${stem}.${part}`, tensor('float32', shape, [...numbers]));
			add(op, [`${stem}.${part}`]);
		};
		const perChannel = (numbers: readonly number[]): number[] => [
			numbers.length,
			...new Array<number>(input.shape.length - 1 - axis).fill(1),
		];
		if (dtype !== 'float32') add('Cast', [], { to: { type: 'int', value: 1 } });
		if (factor !== undefined) by('Mul', 'factor', [], [factor]);
		if (mean !== undefined) by('Sub', 'mean', perChannel(mean), mean);
		if (std !== undefined) by('Div', 'std', perChannel(std), std);
		raw.set(input.name, { ...input, dtype });
		scaled.set(input.name, value);
	}
	const reads = (name: string): string => scaled.get(name) ?? name;
	return {
		...graph,
		initializers,
		inputs: graph.inputs.map((input) => raw.get(input.name) ?? input),
		nodes: [...nodes, ...graph.nodes.map((node) => renamedNode(node, reads))],
	};
}
