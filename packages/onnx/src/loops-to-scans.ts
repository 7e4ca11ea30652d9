import type { Tensor } from '@steelyard/runtime';
import { tensor } from '@steelyard/runtime';
import { bodiesOf, withBodies } from './bodies.js';
import { type Attribute, type Graph, GraphError, type Node } from './graph.js';

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

/** How often a Loop runs. Throws GraphError unless that is fixed, by a constant trip count and a condition that is true at the start and stays true. */
function tripCount(node: Node, body: Graph, constants: Constants): number {
	const [trips = '', condition = ''] = node.inputs;
	const count = numberOf(constants, trips);
	const [, going] = body.inputs;
	const [goesOn] = body.outputs;
	const refuse = (found: string): never => {
		throw new GraphError(
			'unsupported_model',
			`node "${node.name}" (Loop) ${found}; expected a constant trip count of 1 to ${MOST_TRIPS} and a condition that is always true`,
			node.name,
		);
	};
	if (count === undefined) return refuse(trips === '' ? 'has no trip count' : `has the trip count "${trips}", which is not a constant`);
	if (count < 1 || count > MOST_TRIPS) return refuse(`runs ${count} times`);
	if (condition !== '' && numberOf(constants, condition) !== 1) return refuse(`starts on the condition "${condition}"`);
	const last = origin(body, goesOn?.name ?? '');
	const stays = last === going?.name || numberOf((name) => body.initializers.get(name) ?? constants(name), last) === 1;
	return stays ? count : refuse(`may end early, on its condition "${goesOn?.name}"`);
}

/** A Loop of a fixed trip count as a Scan over the numbers of its iterations: the carry and the stacked outputs stay what they are. */
function asScan(node: Node, constants: Constants): { node: Node; numbers: [string, Tensor] } {
	const body = bodiesOf(node)[0]?.[1];
	if (body === undefined) throw new GraphError('malformed_model', `node "${node.name}" (Loop) has no body`, node.name);
	const trips = tripCount(node, body, constants);
	const [iteration, going, ...carried] = body.inputs;
	if (iteration === undefined || going === undefined || carried.length !== node.inputs.length - 2)
		throw new GraphError(
			'malformed_model',
			`the body of node "${node.name}" (Loop) has ${body.inputs.length} inputs, expected ${node.inputs.length}`,
			node.name,
		);
	const numbers = `${node.outputs.find((name) => name !== '')}/iterations`;
	const scanned: Graph = {
		...body,
		inputs: [...carried, { ...iteration, shape: [] }],
		outputs: body.outputs.slice(1),
		initializers: new Map([...body.initializers, [going.name, tensor('bool', [], [1])]]),
	};
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
export function loopsToScans(graph: Graph, outer: Constants = () => undefined): Graph {
	const initializers = new Map(graph.initializers);
	const constants: Constants = (name) => initializers.get(name) ?? outer(name);
	const nodes = graph.nodes.map((node): Node => {
		const changed = withBodies(node, (body) => loopsToScans(body, constants));
		if (node.op !== 'Loop') return changed;
		const scan = asScan(changed, constants);
		initializers.set(...scan.numbers);
		return scan.node;
	});
	return { ...graph, nodes, initializers };
}
