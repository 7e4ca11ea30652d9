import { readAttributes, withoutAttributes } from './attributes.js';
import { changeNodes, namesOf } from './bodies.js';
import type { Graph, Node } from './graph.js';

/** The inputs and outputs of a recurrent operator whose axes stand in another order where the batch comes first, and the permutation of each. */
const turnedInputs: ReadonlyArray<readonly [number, readonly number[]]> = [
	[0, [1, 0, 2]], // X: [batch, steps, size] as [steps, batch, size]
	[5, [1, 0, 2]], // initial states: [batch, directions, size] as [directions, batch, size]
	[6, [1, 0, 2]],
];
const turnedOutputs: ReadonlyArray<readonly [number, readonly number[]]> = [
	[0, [2, 0, 1, 3]], // Y: [steps, directions, batch, size] as [batch, steps, directions, size]
	[1, [1, 0, 2]],
	[2, [1, 0, 2]],
];

/** The node with layout 0, between the transpositions of its inputs and outputs. */
function turned(node: Node, fresh: (stem: string) => string): Node[] {
	const inputs = [...node.inputs];
	const outputs = [...node.outputs];
	const transpose = (from: string, to: string, perm: readonly number[]): Node => ({
		name: `${to}/Transpose`,
		op: 'Transpose',
		inputs: [from],
		outputs: [to],
		attributes: { perm: { type: 'ints', value: perm } },
	});
	const before = turnedInputs.flatMap(([index, perm]) => {
		const given = inputs[index] ?? '';
		if (given === '') return [];
		inputs[index] = fresh(`${node.name}/in`);
		return [transpose(given, inputs[index] as string, perm)];
	});
	const after = turnedOutputs.flatMap(([index, perm]) => {
		const wanted = outputs[index] ?? '';
		if (wanted === '') return [];
		outputs[index] = fresh(`${node.name}/out`);
		return [transpose(outputs[index] as string, wanted, perm)];
	});
	return [...before, { ...withoutAttributes(node, 'layout'), inputs, outputs }, ...after];
}

const isBatchFirst = (node: Node): boolean => ['RNN', 'GRU', 'LSTM'].includes(node.op) && readAttributes(node).int('layout', 0) === 1;

/** The graph without recurrent operators whose batch comes first (layout = 1), which the runtime does not have: each becomes one of layout 0 between transpositions, also in bodies. */
export function withoutBatchFirst(graph: Graph): Graph {
	const taken = new Set(namesOf(graph));
	const fresh = (stem: string): string => {
		let name = stem;
		for (let i = 1; taken.has(name); i++) name = `${stem}_${i}`;
		taken.add(name);
		return name;
	};
	return changeNodes(graph, (node) => (isBatchFirst(node) ? turned(node, fresh) : [node]));
}
