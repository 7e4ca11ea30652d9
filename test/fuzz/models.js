// Mutations of ONNX models for fuzzing: of the bytes, of the fields of the file, and of the decoded graph. Everything is a function of the seed.
import { decodeModel, encodeModel } from '@steelyard/onnx';
import { below, changedBytes, ODD, pick, random } from './bytes.js';
import { changedFields } from './protobuf.js';

const withNode = (graph, next, change) => {
	if (graph.nodes.length === 0) return graph;
	const at = below(next, graph.nodes.length);
	return { ...graph, nodes: graph.nodes.toSpliced(at, 1, ...[change(graph.nodes[at])].flat()) };
};
const names = (graph) => [
	...graph.inputs.map(({ name }) => name),
	...graph.initializers.keys(),
	...graph.nodes.flatMap(({ outputs }) => outputs),
	'nowhere',
];
const OPERATORS = [
	'Add',
	'MatMul',
	'Conv',
	'Reshape',
	'Gather',
	'Loop',
	'Scan',
	'If',
	'LSTM',
	'Resize',
	'Attention',
	'TopK',
	'Einsum',
	'Pad',
	'Nonsense',
];

const graphMutations = {
	operator: (graph, next) => withNode(graph, next, (node) => ({ ...node, op: pick(next, OPERATORS) })),
	input: (graph, next) =>
		withNode(graph, next, (node) => ({
			...node,
			inputs: node.inputs.toSpliced(below(next, node.inputs.length), 1, pick(next, names(graph))),
		})),
	output: (graph, next) => withNode(graph, next, (node) => ({ ...node, outputs: node.outputs.map(() => pick(next, names(graph))) })),
	fewerInputs: (graph, next) => withNode(graph, next, (node) => ({ ...node, inputs: node.inputs.slice(0, -1) })),
	moreInputs: (graph, next) => withNode(graph, next, (node) => ({ ...node, inputs: [...node.inputs, pick(next, names(graph))] })),
	withoutNode: (graph, next) => withNode(graph, next, () => []),
	twice: (graph, next) => withNode(graph, next, (node) => [node, node]),
	order: (graph) => ({ ...graph, nodes: graph.nodes.toReversed() }),
	attribute: (graph, next) =>
		withNode(graph, next, (node) => {
			const keys = Object.keys(node.attributes);
			const key = pick(next, [...keys, 'axis', 'group', 'body']);
			const value = pick(next, [
				{ type: 'int', value: pick(next, ODD) },
				{ type: 'ints', value: Array.from({ length: below(next, 5) }, () => pick(next, ODD)) },
				{ type: 'float', value: pick(next, [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e38]) },
				{ type: 'string', value: pick(next, ['', 'SAME_UPPER', 'ij,jk->ik', '\u0000']) },
			]);
			return { ...node, attributes: { ...node.attributes, [key]: value } };
		}),
	withoutAttribute: (graph, next) =>
		withNode(graph, next, (node) => {
			const { [pick(next, Object.keys(node.attributes)) ?? '']: _, ...attributes } = node.attributes;
			return { ...node, attributes };
		}),
	dimension: (graph, next) => ({
		...graph,
		inputs: graph.inputs.map((input) => ({
			...input,
			shape: input.shape.map((dim) => (next() < 0.5 ? dim : pick(next, [...ODD, 'free']))),
		})),
	}),
	rank: (graph, next) => ({ ...graph, inputs: graph.inputs.map((input) => ({ ...input, shape: input.shape.slice(below(next, 2)) })) }),
	dtype: (graph, next) => ({
		...graph,
		inputs: graph.inputs.map((input) => ({ ...input, dtype: pick(next, ['float32', 'float64', 'float16', 'int64', 'bool', input.dtype]) })),
	}),
	initializer: (graph, next) => {
		const name = pick(next, [...graph.initializers.keys()]);
		if (name === undefined) return graph;
		const initializers = new Map(graph.initializers);
		if (next() < 0.5) initializers.delete(name);
		else initializers.set(name, { ...initializers.get(name), shape: [initializers.get(name).data.length] });
		return { ...graph, initializers };
	},
	outputs: (graph, next) => ({ ...graph, outputs: graph.outputs.map((output) => ({ ...output, name: pick(next, names(graph)) })) }),
};

/** A mutant of `bytes`, a valid model: of its bytes, of its fields, or of its graph. */
export function mutantModel(bytes, seed) {
	const next = random(seed);
	const kind = next();
	if (kind < 1 / 4) return changedBytes(bytes, next);
	if (kind < 1 / 2) return changedFields(bytes, next);
	let model = decodeModel(bytes);
	for (let n = 1 + below(next, 3); n > 0; n--) model = { ...model, graph: pick(next, Object.values(graphMutations))(model.graph, next) };
	if (next() < 0.05)
		model = {
			...model,
			opset: pick(
				next,
				ODD.filter((n) => n >= 0),
			),
		};
	return encodeModel(model);
}
