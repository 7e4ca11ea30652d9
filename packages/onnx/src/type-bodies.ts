import { readAttributes } from './attributes.js';
import { bodiesOf, captured, namesOf, withBodies } from './bodies.js';
import { allValues, type Graph, GraphError, type Model, type Node, OPSET, positiveAxis, staticShape, type Value } from './graph.js';
import { renamed } from './rename.js';

/** How many of the inputs of a Scan are carried from step to step; the others are walked along. */
const carryCount = (node: Node): number => node.inputs.length - readAttributes(node).int('num_scan_inputs', 0);

/** The inputs of the body of a Scan with the types that its node gives them: the carry as it is, a stacked input without the axis that is walked along. */
function scanInputs(node: Node, body: Graph, typeOf: (name: string) => Value): Value[] {
	const axes = readAttributes(node).ints('scan_input_axes');
	const carried = carryCount(node);
	if (body.inputs.length !== node.inputs.length)
		throw new GraphError(
			'malformed_model',
			`the body of node "${node.name}" (Scan) has ${body.inputs.length} inputs, expected ${node.inputs.length}`,
			node.name,
		);
	return body.inputs.map(({ name }, i) => {
		const { dtype, shape } = typeOf(node.inputs[i] as string);
		if (i < carried) return { name, dtype, shape };
		const axis = axes?.[i - carried] ?? 0;
		return { name, dtype, shape: shape.filter((_, j) => j !== positiveAxis(axis, shape.length)) };
	});
}

/** What is carried goes into the next step, so it must keep its type. */
function checkCarry(node: Node, body: Graph): void {
	body.inputs.slice(0, carryCount(node)).forEach((before, i) => {
		const after = body.outputs[i];
		if (after?.dtype !== before.dtype || `${after.shape}` !== `${before.shape}`)
			throw new GraphError(
				'unsupported_model',
				`state ${i} of node "${node.name}" (${node.op}) changes from ${before.dtype}[${before.shape}] to ${after?.dtype}[${after?.shape}] in a step, expected one type`,
				node.name,
			);
	});
}

/** The inputs of the body of a Loop, with the types that its node gives to those that have none of their own: the iteration, the condition, the carry. */
const loopInputs = (node: Node, body: Graph, typeOf: (name: string) => Value): Value[] =>
	body.inputs.map((input, i): Value => {
		if (!input.untyped) return input;
		if (i < 2) return { name: input.name, dtype: i === 0 ? 'int64' : 'bool', shape: [] };
		const { dtype, shape } = typeOf(node.inputs[i] ?? '');
		return { name: input.name, dtype, shape };
	});

/**
 * The graph, whose values are known, with other bodies in its Scans, Loops and Ifs. `change` gets each body as a model of its own: its inputs have the types that
 * the node gives them, and what it captures of the graph around it is an input too, but a captured constant is an initializer, so that the runtime can fold it.
 * In the graph that `change` gives back, captured values are captured again, and values that it has added have names that no other body and not the graph itself
 * has: the runtime wants the names of a graph and of all graphs within it to be different. `check` may refuse the result.
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
	const taken = new Set(namesOf(graph));
	const withFreshNames = (body: Graph, own: ReadonlySet<string>): Graph => {
		const fresh = new Map<string, string>();
		for (const name of new Set(namesOf(body))) {
			if (own.has(name)) continue;
			let made = name;
			for (let i = 1; taken.has(made); i++) made = `${name}.${i}`;
			taken.add(made);
			fresh.set(name, made);
		}
		return renamed(body, (name) => fresh.get(name) ?? name);
	};
	const lifted = async (node: Node, body: Graph): Promise<Graph> => {
		const outside = captured(body);
		const constants = new Map(outside.flatMap((name) => (graph.initializers.has(name) ? [[name, graph.initializers.get(name)!]] : [])));
		const own = node.op === 'Scan' ? scanInputs(node, body, typeOf) : node.op === 'Loop' ? loopInputs(node, body, typeOf) : body.inputs;
		const inputs = [...own, ...outside.filter((name) => !constants.has(name)).map(typeOf)];
		const initializers = new Map([...body.initializers, ...constants]);
		const lone = { ...body, inputs, initializers, values: new Map() };
		const changed = withFreshNames(await change({ graph: lone, opset }), new Set(namesOf(lone)));
		const kept = new Map([...changed.initializers].filter(([name]) => !constants.has(name)));
		const result = { ...changed, name: body.name, inputs: changed.inputs.slice(0, own.length), initializers: kept };
		check(node, result);
		return result;
	};
	const nodes: Node[] = [];
	for (const node of graph.nodes) {
		const changed = new Map<string, Graph>();
		for (const [name, body] of bodiesOf(node)) changed.set(name, await lifted(node, body));
		nodes.push(withBodies(node, (_, name) => changed.get(name) as Graph));
	}
	return { ...graph, nodes };
}

/** Canonicalises the bodies of Scan, Loop and If in a graph that is typed itself. */
export const typeBodies = (graph: Graph, canonicalise: (model: Model) => Promise<Graph>): Promise<Graph> =>
	changeBodies(graph, OPSET, canonicalise, (node, body) => {
		for (const output of body.outputs) staticShape(output);
		if (node.op === 'Scan') checkCarry(node, body);
	});
