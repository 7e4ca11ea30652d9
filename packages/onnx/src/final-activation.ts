import { readAttributes } from './attributes.js';
import type { Graph } from './graph.js';

/** How an output becomes probabilities. */
export type FinalActivation = {
	readonly operator: 'Softmax' | 'LogSoftmax' | 'Sigmoid';
	/** The value that the operator takes. */
	readonly logits: string;
	/** The axis of a Softmax or LogSoftmax, which may count from the end; null for a Sigmoid. */
	readonly axis: number | null;
	/** Operators between it and the output that change its numbers, the first of them first. */
	readonly after: string[];
};

const isActivation = (op: string): op is FinalActivation['operator'] => op === 'Softmax' || op === 'LogSoftmax' || op === 'Sigmoid';
/** Operators that leave the numbers of their first input as they are. */
const PASSING = ['Identity', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Cast'];
/** Operators that stand behind probabilities to keep them from 0 and 1, or to take their logarithm. */
const CHANGING = ['Clip', 'Log'];

/** The Softmax, LogSoftmax or Sigmoid that an output of a graph of operator set 13 or later ends in; null where it ends in none. The logarithm of a Softmax is a LogSoftmax. */
export function finalActivation(graph: Graph, output: string): FinalActivation | null {
	const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
	const after: string[] = [];
	for (let node = makers.get(output); node !== undefined; node = makers.get(node.inputs[0] as string)) {
		if (isActivation(node.op)) {
			const axis = node.op === 'Sigmoid' ? null : readAttributes(node).int('axis', -1);
			const logarithm = node.op === 'Softmax' && after[0] === 'Log';
			return {
				operator: logarithm ? 'LogSoftmax' : node.op,
				logits: node.inputs[0] as string,
				axis,
				after: logarithm ? after.slice(1) : after,
			};
		}
		if (CHANGING.includes(node.op)) after.unshift(node.op);
		else if (!PASSING.includes(node.op)) return null;
	}
	return null;
}
