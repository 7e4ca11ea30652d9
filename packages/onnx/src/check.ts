import { readAttributes } from './attributes.js';
import { bodiesOf, withBodies } from './bodies.js';
import { type Graph, GraphError, type Node, type Shape, type Value } from './graph.js';
import { inOrder } from './order.js';

const malformed = (message: string, where: string | null): GraphError => new GraphError('malformed_model', message, where);
const title = (node: Node): string => `node "${node.name}" (${node.op})`;

/** The most elements of a tensor; more fit no memory and no file. */
const MOST_ELEMENTS = 2 ** 31;

/** The number of elements of a shape, as far as its dimensions are known. */
export const elementsOf = (shape: Shape): number => shape.reduce<number>((size, dim) => (typeof dim === 'number' ? size * dim : size), 1);

/** Throws GraphError `unsupported_model` for a tensor of more than `most` elements, before anybody tries to make it. */
export function checkSize({ name, shape }: Value, most = MOST_ELEMENTS): void {
	if (elementsOf(shape) > most)
		throw new GraphError('unsupported_model', `value "${name}" has the shape [${shape}], which is more than ${most} elements`, name);
}

/** How many inputs and outputs a body must have, given those of its node; null where the node leaves that open. */
function sidesOf(node: Node): { inputs: number | null; outputs: number | null } {
	if (node.op === 'If') return { inputs: 0, outputs: node.outputs.length };
	const states = node.inputs.length;
	if (node.op === 'Loop') return { inputs: states, outputs: node.outputs.length + 1 };
	if (node.op === 'Scan') return { inputs: states, outputs: node.outputs.length };
	return { inputs: null, outputs: null };
}

const wantedBodies: Readonly<Record<string, readonly string[]>> = { If: ['then_branch', 'else_branch'], Loop: ['body'], Scan: ['body'] };

function checkScan(node: Node): void {
	const count = readAttributes(node).int('num_scan_inputs', 0);
	if (!(count >= 1 && count <= node.inputs.length))
		throw malformed(`${title(node)} has the attribute num_scan_inputs = ${count}, expected 1 to ${node.inputs.length}`, node.name);
}

/** The node with its bodies checked and in an order in which they can run. `outer` are the values that stand around the node. */
function withCheckedBodies(node: Node, outer: ReadonlySet<string>): Node {
	if (node.op === 'Scan') checkScan(node);
	const bodies = bodiesOf(node);
	for (const name of Object.hasOwn(wantedBodies, node.op) ? (wantedBodies[node.op] as readonly string[]) : [])
		if (!bodies.some(([given]) => given === name)) throw malformed(`${title(node)} lacks its graph "${name}"`, node.name);
	const sides = sidesOf(node);
	return withBodies(node, (body, name) => {
		for (const side of ['inputs', 'outputs'] as const)
			if (sides[side] !== null && body[side].length !== sides[side])
				throw malformed(`the graph "${name}" of ${title(node)} has ${body[side].length} ${side}, expected ${sides[side]}`, node.name);
		return checked(body, outer);
	});
}

/** The names of the values of the graph. Throws GraphError for a name that two values have. */
function valuesOf(graph: Graph): Set<string> {
	const names = new Set<string>();
	const add = (name: string): void => {
		if (names.has(name)) throw malformed(`two values have the name "${name}"`, name);
		names.add(name);
	};
	for (const { name } of graph.inputs) add(name);
	for (const name of graph.initializers.keys()) add(name);
	for (const node of graph.nodes) for (const name of node.outputs) if (name !== '') add(name);
	return names;
}

/**
 * The graph with its nodes in an order in which they can run. `outer` are the values that stand around a body. Throws GraphError `malformed_model` that names the
 * node or value: for a name that two values or none have, for nodes in a circle, and for bodies of control flow that do not fit their node.
 */
export function checked(graph: Graph, outer: ReadonlySet<string> = new Set()): Graph {
	if (graph.outputs.length === 0) throw malformed(`the graph "${graph.name}" has no outputs`, null);
	const known = new Set([...outer, ...valuesOf(graph)]);
	const nodes = graph.nodes.map((node) => {
		for (const name of node.inputs)
			if (name !== '' && !known.has(name)) throw malformed(`${title(node)} takes the value "${name}", which nothing gives`, name);
		return withCheckedBodies(node, known);
	});
	for (const { name } of graph.outputs) if (!known.has(name)) throw malformed(`nothing gives the output "${name}" of the graph`, name);
	for (const value of [...graph.inputs, ...graph.outputs]) checkSize(value);
	return inOrder({ ...graph, nodes });
}

/** Throws GraphError `malformed_model` for a convolution whose weight has not as many dimensions as its input, which the runtime sees only as it runs. */
export function checkConvolutions(nodes: readonly Node[], values: ReadonlyMap<string, Value>): void {
	for (const node of nodes) {
		if (node.op !== 'Conv' && node.op !== 'ConvTranspose') continue;
		const [x, weight] = node.inputs.map((name) => values.get(name));
		if (x !== undefined && weight !== undefined && x.shape.length !== weight.shape.length)
			throw malformed(
				`${title(node)} has the weight "${weight.name}" of shape [${weight.shape}], expected ${x.shape.length} dimensions as its input [${x.shape}] has`,
				node.name,
			);
	}
}
