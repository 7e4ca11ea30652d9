import { type Graph, type Node, readAttributes, withAttributes, withoutAttributes } from '@steelyard/onnx';

/** Running statistics of a norm: the initializer that holds them, and the value that a step leaves. */
export type RunningStatistic = { readonly initializer: string; readonly next: string };

/** Whether a norm is in training form: before operator set 14 that is one with statistics among its outputs, later one whose attribute says so. */
const inTraining = (node: Node): boolean =>
	node.op === 'BatchNormalization' && (node.outputs.length > 1 || readAttributes(node).int('training_mode', 0) === 1);

const infer = (node: Node): Node => ({
	...withoutAttributes(node, 'training_mode'),
	outputs: node.outputs.slice(0, 1),
});

/** Whether the graph was exported with a batch normalisation in training form. */
export const hasTrainingForm = (graph: Graph): boolean => graph.nodes.some(inTraining);

/** The graph with every batch normalisation on its running statistics. */
export const withRunningStatistics = (graph: Graph): Graph => ({
	...graph,
	nodes: graph.nodes.map((node) => (inTraining(node) ? infer(node) : node)),
});

/**
 * The graph with every batch normalisation on the statistics of the batch, and the running ones that follow: ONNX has running·momentum +
 * batch·(1 − momentum), with the biased variance of the batch. A norm whose statistics are no initializers stays as it is.
 */
export function withBatchStatistics(graph: Graph): { graph: Graph; running: RunningStatistic[] } {
	const current = new Map<string, string>();
	const nodes = graph.nodes.map((node, i): Node => {
		if (node.op !== 'BatchNormalization') return node;
		const [x, scale, bias, mean, variance] = node.inputs as [string, string, string, string, string];
		if (!graph.initializers.has(mean) || !graph.initializers.has(variance)) return node;
		// a norm used twice moves its statistics twice, in the order of the graph
		const inputs = [x, scale, bias, current.get(mean) ?? mean, current.get(variance) ?? variance];
		const next = [mean, variance].map((name, k) => node.outputs[k + 1] || `steelyard/${i}/${name}`) as [string, string];
		current.set(mean, next[0]).set(variance, next[1]);
		return {
			...withAttributes(node, { training_mode: { type: 'int', value: 1 } }),
			inputs,
			outputs: [node.outputs[0] as string, ...next],
		};
	});
	return { graph: { ...graph, nodes }, running: [...current].map(([initializer, next]) => ({ initializer, next })) };
}
