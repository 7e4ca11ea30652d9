import { bodiesOf, captured } from './bodies.js';
import { type Attribute, allValues, type Graph, GraphError, type Model, type Node, OPSET, staticShape, type Value } from './graph.js';

/** The body of a Scan with the types that its node gives it: states as they are, scan inputs without the axis that is walked along. */
function scanInputs(node: Node, body: Graph, typeOf: (name: string) => Value): Value[] {
	const count = node.attributes['num_scan_inputs'];
	const axes = node.attributes['scan_input_axes'];
	const states = node.inputs.length - (count?.type === 'int' ? count.value : 0);
	if (body.inputs.length !== node.inputs.length)
		throw new GraphError(
			'malformed_model',
			`the body of node "${node.name}" (Scan) has ${body.inputs.length} inputs, expected ${node.inputs.length}`,
			node.name,
		);
	return body.inputs.map(({ name }, i) => {
		const { dtype, shape } = typeOf(node.inputs[i] as string);
		if (i < states) return { name, dtype, shape };
		const axis = axes?.type === 'ints' ? (axes.value[i - states] ?? 0) : 0;
		return { name, dtype, shape: shape.filter((_, j) => j !== (axis < 0 ? axis + shape.length : axis)) };
	});
}

/** A state goes into the next step: it must keep its type. */
function checkStates(node: Node, body: Graph): void {
	const count = node.attributes['num_scan_inputs'];
	const states = node.inputs.length - (count?.type === 'int' ? count.value : 0);
	body.inputs.slice(0, states).forEach((before, i) => {
		const after = body.outputs[i];
		if (after?.dtype !== before.dtype || `${after.shape}` !== `${before.shape}`)
			throw new GraphError(
				'unsupported_model',
				`state ${i} of node "${node.name}" (${node.op}) changes from ${before.dtype}[${before.shape}] to ${after?.dtype}[${after?.shape}] in a step, expected one type`,
				node.name,
			);
	});
}

/** The body of a Loop with the types that its node gives it where it does not say them itself: the step, the condition, the states. */
const loopInputs = (node: Node, body: Graph, typeOf: (name: string) => Value): Value[] =>
	body.inputs.map((input, i): Value => {
		if (!input.untyped) return input;
		if (i < 2) return { name: input.name, dtype: i === 0 ? 'int64' : 'bool', shape: [] };
		const { dtype, shape } = typeOf(node.inputs[i] ?? '');
		return { name: input.name, dtype, shape };
	});

/**
 * Changes the bodies of Scan, Loop and If in a graph whose values are known. A body is lifted out as a model of its own: its inputs have the types that the
 * node gives them, what it captures of the graph around it becomes an input as well (a constant stays one, so that the runtime can fold it), `change` makes
 * another graph of it, and it goes back. Captured values stay captured.
 */
export async function changeBodies(
	graph: Graph,
	opset: number,
	change: (model: Model) => Promise<Graph>,
	check: (node: Node, body: Graph) => void = () => {},
): Promise<Graph> {
	const known = allValues(graph);
	const typeOf = (name: string): Value => {
		const value = known.get(name);
		if (value === undefined)
			throw new GraphError('malformed_model', `nothing gives the value "${name}", which the body of a node reads`, name);
		return value;
	};
	const lifted = async (node: Node, body: Graph): Promise<Graph> => {
		const outside = captured(body);
		const constants = new Map(outside.flatMap((name) => (graph.initializers.has(name) ? [[name, graph.initializers.get(name)!]] : [])));
		const own = node.op === 'Scan' ? scanInputs(node, body, typeOf) : node.op === 'Loop' ? loopInputs(node, body, typeOf) : body.inputs;
		const inputs = [...own, ...outside.filter((name) => !constants.has(name)).map(typeOf)];
		const initializers = new Map([...body.initializers, ...constants]);
		const changed = await change({ graph: { ...body, inputs, initializers, values: new Map() }, opset });
		const kept = new Map([...changed.initializers].filter(([name]) => !constants.has(name)));
		const result = { ...changed, name: body.name, inputs: changed.inputs.slice(0, own.length), initializers: kept };
		check(node, result);
		return result;
	};
	const nodes: Node[] = [];
	for (const node of graph.nodes) {
		const attributes: Record<string, Attribute> = { ...node.attributes };
		for (const [name, body] of bodiesOf(node)) attributes[name] = { type: 'graph', value: await lifted(node, body) };
		nodes.push({ ...node, attributes });
	}
	return { ...graph, nodes };
}

/** Canonicalises the bodies of Scan, Loop and If in a graph that is typed itself. */
export const typeBodies = (graph: Graph, canonicalise: (model: Model) => Promise<Graph>): Promise<Graph> =>
	changeBodies(graph, OPSET, canonicalise, (node, body) => {
		for (const output of body.outputs) staticShape(output);
		if (node.op === 'Scan') checkStates(node, body);
	});
