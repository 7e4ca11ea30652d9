import type { Graph, Node } from '@steelyard/onnx';
import { tensor } from '@steelyard/runtime';

/** Where a graph has the logits of a task. */
export type Logits = {
	/** The value of the graph: `[batch, outputs]` or, where each row has one, `[batch]`. */
	readonly value: string;
	/** Whether it holds the logits of both classes of a binary task, `[batch, 2]`, in the place of one. */
	readonly pair: boolean;
};

const PREFIX = 'steelyard/logit';

/**
 * The graph with the logits of its task as its one output, and the name of that. The two logits of a binary task become one, their difference: its sigmoid is
 * the softmax of the two, and the cross entropies are equal.
 */
export function withLogits(graph: Graph, { value, pair }: Logits): { graph: Graph; output: string } {
	const outputOf = (name: string): Graph['outputs'] => [
		graph.outputs.find((output) => output.name === name) ?? { name, dtype: 'float32', shape: [] },
	];
	if (!pair) return { graph: { ...graph, outputs: outputOf(value) }, output: value };
	const name = (part: string): string => `${PREFIX}/${part}`;
	const indices = [0, 1].map((index) => [name(`index.${index}`), tensor('int64', [], [index])] as const);
	const columns = indices.map(([index], i): Node => {
		const column = name(String(i));
		return { name: column, op: 'Gather', inputs: [value, index], outputs: [column], attributes: { axis: { type: 'int', value: 1 } } };
	});
	const difference: Node = { name: PREFIX, op: 'Sub', inputs: [name('1'), name('0')], outputs: [PREFIX], attributes: {} };
	return {
		output: PREFIX,
		graph: {
			...graph,
			nodes: [...graph.nodes, ...columns, difference],
			initializers: new Map([...graph.initializers, ...indices]),
			outputs: outputOf(PREFIX),
		},
	};
}
