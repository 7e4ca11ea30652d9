import { readAttributes } from './attributes.js';
import type { Graph, Node } from './graph.js';

const isIdentity = (node: Node): boolean =>
	node.op === 'Transpose' &&
	(readAttributes(node)
		.ints('perm')
		?.every((axis, i) => axis === i) ??
		false);

/** The graph with every Transpose that moves no axis as an Identity: ONNX Runtime 1.29 takes one before a Gemm for the transpose of a matrix. */
export const withoutIdentityTransposes = (graph: Graph): Graph => ({
	...graph,
	nodes: graph.nodes.map((node) => (isIdentity(node) ? { ...node, op: 'Identity', attributes: {} } : node)),
});
