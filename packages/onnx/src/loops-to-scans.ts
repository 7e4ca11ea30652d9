import { createSession, type Tensor, tensor } from '@steelyard/runtime';
import { bodiesOf, captured, graphsWithin, readsOf, withBodies } from './bodies.js';
import { encodeModel } from './encode.js';
import { type Attribute, type Graph, GraphError, type Node, OPSET, type Value } from './graph.js';
import { reducedTo } from './reduced-to.js';

type Constants = (name: string) => Tensor | undefined;

/** The number of a constant that is one number; undefined for every other value. */
const numberOf = (constants: Constants, name: string): number | undefined => {
	const data = constants(name)?.data;
	return data?.length === 1 ? Number(data[0]) : undefined;
};

/** The value of which `name` is a copy by Identity nodes. */
function origin(body: Graph, name: string): string {
	const node = body.nodes.find(({ op, outputs }) => op === 'Identity' && outputs[0] === name);
	return node === undefined ? name : origin(body, node.inputs[0] as string);
}

/** The most iterations of a Loop: what each of them gives is held until the end. */
const MOST_TRIPS = 2 ** 20;
/** The most iterations that are counted one by one: a condition that never becomes false must not be computed for ever. */
const MOST_COUNTED = 2 ** 16;

/**
 * The Loop alone that computes the conditions of a Loop: its carry is what these depend on from one iteration to the next, and its one output counts the iterations.
 * Null where they depend on anything but constants and the number of the iteration.
 */
function countingLoop(node: Node, body: Graph, limit: number, constants: Constants): Graph | null {
	const [, condition = '', ...starts] = node.inputs;
	const [iteration, going, ...carried] = body.inputs as [Value, Value, ...Value[]];
	const [goesOn, ...results] = body.outputs as [Value, ...Value[]];
	// what the condition needs of an iteration, and of the carry, which the iteration before makes
	const needed = new Set<number>();
	const sliceOf = () => reducedTo(body, [goesOn, ...[...needed].map((i) => results[i] as Value)]);
	for (let before = -1; before < needed.size; ) {
		before = needed.size;
		const read = new Set([...sliceOf().nodes.flatMap(readsOf), ...sliceOf().outputs.map(({ name }) => name)]);
		carried.forEach(({ name }, i) => read.has(name) && needed.add(i));
	}
	const places = [...needed];
	const slice = sliceOf();
	const outside = [
		...captured({ ...slice, inputs: body.inputs }),
		...places.map((i) => starts[i] as string),
		...(condition === '' ? [] : [condition]),
	];
	const draws = [...graphsWithin(slice)].some(({ nodes }) => nodes.some(({ op }) => /^(Random|Bernoulli|Multinomial)/.test(op)));
	if (draws || outside.some((name) => constants(name) === undefined)) return null;
	const count = (name: string): Value => ({ name: `${goesOn.name}/${name}`, dtype: 'int64', shape: [1] });
	const [before, after, total, one, most] = ['count', 'counted', 'total', 'one', 'most'].map(count) as [Value, Value, Value, Value, Value];
	const counting: Graph = {
		...slice,
		nodes: [...slice.nodes, { name: after.name, op: 'Add', inputs: [before.name, one.name], outputs: [after.name], attributes: {} }],
		inputs: [iteration, going, ...places.map((i) => carried[i] as Value), before],
		outputs: [...slice.outputs, after],
	};
	const zero = `${before.name}/start`;
	const carries = places.map((i) => `${goesOn.name}/last/${i}`);
	return {
		name: 'counting',
		nodes: [
			{
				...node,
				inputs: [most.name, condition, ...places.map((i) => starts[i] as string), zero],
				outputs: [...carries, total.name],
				attributes: { body: { type: 'graph', value: counting } },
			},
		],
		inputs: [],
		outputs: [total],
		initializers: new Map([
			...outside.map((name): [string, Tensor] => [name, constants(name) as Tensor]),
			[one.name, tensor('int64', [1], [1])],
			[zero, tensor('int64', [1], [0])],
			[most.name, tensor('int64', [], [limit])],
		]),
		values: new Map(),
	};
}

/** How often a Loop runs whose conditions follow from constants: the runtime counts. Null where they do not. */
async function countedTrips(node: Node, body: Graph, limit: number, constants: Constants): Promise<number | null> {
	const graph = countingLoop(node, body, limit, constants);
	if (graph === null) return null;
	const session = await createSession(encodeModel({ graph, opset: OPSET }));
	try {
		return Number(Object.values(await session.run({}))[0]?.data[0]);
	} finally {
		await session.release();
	}
}

/** How often a Loop runs. Throws GraphError unless that is fixed: by a constant trip count, and a condition that stays true or follows from constants alone. */
async function tripCount(node: Node, body: Graph, constants: Constants): Promise<number> {
	const [trips = '', condition = ''] = node.inputs;
	const [, going] = body.inputs;
	const [goesOn] = body.outputs;
	const refuse = (found: string): never => {
		throw new GraphError(
			'unsupported_model',
			`node "${node.name}" (Loop) ${found}; expected 1 to ${MOST_TRIPS} iterations, fixed by a constant trip count and a condition that is always true or follows from constants. Give the number of iterations as a constant, and let those that are too many change nothing, as by Where`,
			node.name,
		);
	};
	const given = trips === '' ? Number.POSITIVE_INFINITY : numberOf(constants, trips);
	if (given === undefined) return refuse(`has the trip count "${trips}", which is not a constant`);
	const last = origin(body, goesOn?.name ?? '');
	const stays = last === going?.name || numberOf((name) => body.initializers.get(name) ?? constants(name), last) === 1;
	const starts = condition === '' || numberOf(constants, condition) === 1;
	const count = stays && starts ? given : await countedTrips(node, body, Math.min(given, MOST_COUNTED + 1), constants);
	if (count === null)
		return refuse(
			starts
				? `may end early, on its condition "${goesOn?.name}", which depends on data`
				: `starts on the condition "${condition}", which depends on data`,
		);
	if (count < 1) return refuse(`runs ${count} times`);
	const most = count === given ? MOST_TRIPS : MOST_COUNTED;
	if (count > most) return refuse(`runs more than ${most} times`);
	return count;
}

/**
 * The body with a node of its own behind every output: a Scan of the runtime leaves an output unwritten that is an input of its body, as what a Loop passes on
 * unchanged is, or a value from outside.
 */
function withOwnOutputs(body: Graph): Graph {
	const made = new Set(body.nodes.flatMap(({ outputs }) => outputs));
	const given = new Set<string>();
	const copies: Node[] = [];
	const outputs = body.outputs.map((output, i) => {
		if (made.has(output.name) && !given.has(output.name)) {
			given.add(output.name);
			return output;
		}
		const copy = `${output.name}/passed/${i}`;
		copies.push({ name: copy, op: 'Identity', inputs: [output.name], outputs: [copy], attributes: {} });
		return { ...output, name: copy };
	});
	return { ...body, nodes: [...body.nodes, ...copies], outputs };
}

/** A Loop of a fixed trip count as a Scan over the numbers of its iterations: the carry and the stacked outputs stay what they are. */
async function asScan(node: Node, constants: Constants): Promise<{ node: Node; numbers: [string, Tensor] }> {
	const body = bodiesOf(node)[0]?.[1];
	if (body === undefined) throw new GraphError('malformed_model', `node "${node.name}" (Loop) has no body`, node.name);
	const [iteration, going, ...carried] = body.inputs;
	if (iteration === undefined || going === undefined || carried.length !== node.inputs.length - 2)
		throw new GraphError(
			'malformed_model',
			`the body of node "${node.name}" (Loop) has ${body.inputs.length} inputs, expected ${node.inputs.length}`,
			node.name,
		);
	const trips = await tripCount(node, body, constants);
	const numbers = `${node.outputs.find((name) => name !== '')}/iterations`;
	const scanned = withOwnOutputs({
		...body,
		inputs: [...carried, { ...iteration, shape: [] }],
		outputs: body.outputs.slice(1),
		initializers: new Map([...body.initializers, [going.name, tensor('bool', [], [1])]]),
	});
	const attributes: Record<string, Attribute> = { body: { type: 'graph', value: scanned }, num_scan_inputs: { type: 'int', value: 1 } };
	return {
		node: { ...node, op: 'Scan', inputs: [...node.inputs.slice(2), numbers], attributes },
		numbers: [
			numbers,
			tensor(
				'int64',
				[trips],
				Array.from({ length: trips }, (_, i) => i),
			),
		],
	};
}

/**
 * The graph with every Loop, also in bodies, as a Scan. `outer` gives the constants around the graph. Throws GraphError `unsupported_model` that names the node
 * for a Loop whose trip count is not fixed: the shapes of its outputs would not be known either.
 */
export async function loopsToScans(graph: Graph, outer: Constants = () => undefined): Promise<Graph> {
	const initializers = new Map(graph.initializers);
	const own = new Set([...graph.inputs.map(({ name }) => name), ...graph.nodes.flatMap(({ outputs }) => outputs)]);
	const constants: Constants = (name) => initializers.get(name) ?? (own.has(name) ? undefined : outer(name));
	const nodes: Node[] = [];
	for (const node of graph.nodes) {
		const bodies = new Map<string, Graph>();
		for (const [name, body] of bodiesOf(node)) bodies.set(name, await loopsToScans(body, constants));
		const changed = withBodies(node, (_, name) => bodies.get(name) as Graph);
		if (node.op !== 'Loop') {
			nodes.push(changed);
			continue;
		}
		const scan = await asScan(changed, constants);
		initializers.set(...scan.numbers);
		nodes.push(scan.node);
	}
	return { ...graph, nodes, initializers };
}
