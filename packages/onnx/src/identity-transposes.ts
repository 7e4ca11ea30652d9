import type { Graph, Node } from './graph.js';

const isIdentity = ({ op, attributes }: Node): boolean => {
	const { perm } = attributes;
	return op === 'Transpose' && perm?.type === 'ints' && perm.value.every((axis, i) => axis === i);
};

/** The graph with every Transpose that moves no axis as an Identity: ONNX Runtime 1.29 takes one before a Gemm for the transpose of a matrix. */
export const withoutIdentityTransposes = (graph: Graph): Graph => ({
	...graph,
	nodes: graph.nodes.map((node) => (isIdentity(node) ? { ...node, op: 'Identity', attributes: {} } : node)),
});
