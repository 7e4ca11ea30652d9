import type { Graph, Node } from '@steelyard/onnx';
import { type DType, type Tensor, tensor } from '@steelyard/runtime';

/** Where a graph has the logits of a task. */
export type Logits = {
	/** The value of the graph: `[batch, outputs]`, or any shape of that size. */
	readonly value: string;
	readonly dtype: DType;
	/** The axis of the two classes of a binary task, where each has its own logit; null where a row has one. */
	readonly pair: number | null;
	/** The operator between them and the output, which makes probabilities; null where the output gives logits. */
	readonly operator: string | null;
};

/**
 * The graph with logits as a value of float32, and the name of that. The two logits of a binary task become one, their difference: its sigmoid is
 * the softmax of the two, and the cross entropies are equal.
 */
function withValue(graph: Graph, { value, dtype, pair }: Logits, prefix: string): { graph: Graph; output: string } {
	const name = (part: string): string => `${prefix}/${part}`;
	const nodes: Node[] = [];
	const add = (op: string, inputs: string[], output: string, attributes: Node['attributes'] = {}): string => {
		nodes.push({ name: output, op, inputs, outputs: [output], attributes });
		return output;
	};
	const indices = new Map<string, Tensor>();
	const column = (index: number): string => {
		indices.set(name(`index.${index}`), tensor('int64', [], [index]));
		return add('Gather', [value, name(`index.${index}`)], name(String(index)), { axis: { type: 'int', value: pair as number } });
	};
	const logits = pair === null ? value : add('Sub', [column(1), column(0)], name('difference'));
	const output = dtype === 'float32' ? logits : add('Cast', [logits], name('float32'), { to: { type: 'int', value: 1 } });
	return {
		output,
		graph: { ...graph, nodes: [...graph.nodes, ...nodes], initializers: new Map([...graph.initializers, ...indices]) },
	};
}

/**
 * The graph with the logits of its task, where it gives any (`main`), and those of auxiliary outputs among its values, as float32, and their names there.
 */
export function withLogits(
	graph: Graph,
	{ main, auxiliary }: { main: Logits | null; auxiliary: readonly Logits[] },
): { graph: Graph; output: string | null; auxiliary: string[] } {
	let made = graph;
	const add = (logits: Logits, prefix: string): string => {
		const { graph: next, output } = withValue(made, logits, prefix);
		made = next;
		return output;
	};
	const output = main && add(main, 'steelyard/logit');
	const others = auxiliary.map((logits, i) => add(logits, `steelyard/auxiliary.${i}`));
	return { graph: made, output, auxiliary: others };
}
