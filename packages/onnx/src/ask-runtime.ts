import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSession, sizeOf } from '@steelyard/runtime';
import { withoutAttributes } from './attributes.js';
import { changeNodes, namesOf, readsOf } from './bodies.js';
import { checkSize, elementsOf } from './check.js';
import { decodeModel } from './decode.js';
import { encodeModel } from './encode.js';
import { type Graph, GraphError, type Model, type Node, type Value } from './graph.js';
import { withOwnNames } from './own-names.js';

/** The model after the runtime has folded its constants and cleaned it up. Throws RuntimeError when the runtime refuses the model. */
export async function folded(model: Model): Promise<Model> {
	const folder = await mkdtemp(join(tmpdir(), 'steelyard-'));
	try {
		const path = join(folder, 'model.onnx');
		const session = await createSession(encodeModel(model), { optimisation: 'basic', optimisedModelPath: path });
		await session.release();
		const read = decodeModel(await readFile(path));
		return { ...read, graph: withOwnNames(read.graph, namesOf(model.graph)), opset: model.opset };
	} finally {
		await rm(folder, { recursive: true });
	}
}

/** From constants of more elements than this the runtime infers no shapes. */
const LARGE = 64;

/** The graph with its large constants as inputs: it loads quickly, and its values have the same types. */
export function withoutWeights(graph: Graph): Graph {
	const large = [...graph.initializers].filter(([, { shape }]) => sizeOf(shape) > LARGE);
	return {
		...graph,
		inputs: [...graph.inputs, ...large.map(([name, { dtype, shape }]) => ({ name, dtype, shape }))],
		initializers: new Map([...graph.initializers].filter(([, { shape }]) => sizeOf(shape) <= LARGE)),
	};
}

/** The graph without the windows that Attention has from operator set 25 on: the runtime does not know them, and no type depends on them. */
function withoutWindows(graph: Graph): Graph {
	const known = (node: Node): Node => (node.op === 'Attention' ? withoutAttributes(node, 'left_window_size', 'right_window_size') : node);
	return changeNodes(graph, (node) => [known(node)]);
}

/** The types of the values `names`, as the runtime infers them when they are the outputs of the model. */
async function outputsOf(model: Model, names: readonly string[]): Promise<readonly Value[]> {
	if (names.length === 0) return [];
	const session = await createSession(encodeModel({ ...model, graph: withoutWindows(model.graph) }, names));
	await session.release();
	return session.outputs;
}

/** Which of the values, all of which seem to be scalars, have an unknown number of dimensions: the length of the shape of a scalar is known to be 0. */
async function unknownRanks(model: Model, values: readonly Value[]): Promise<Set<string>> {
	if (values.length === 0) return new Set();
	let stem = 'rank/';
	while (values.some(({ name }) => name.startsWith(stem))) stem += '.';
	const nodes = values.map(
		({ name }): Node => ({ name: stem + name, op: 'Shape', inputs: [name], outputs: [stem + name], attributes: {} }),
	);
	const ranks = await outputsOf(
		{ ...model, graph: { ...model.graph, nodes: [...model.graph.nodes, ...nodes] } },
		nodes.map(({ name }) => name),
	);
	return new Set(ranks.filter(({ shape }) => shape[0] !== 0).map(({ name }) => name.slice(stem.length)));
}

/** The most elements that may be computed from constants and parameters alone, unless these have many themselves. */
const MOST_COMPUTED = 2 ** 27;
/** How many times as many elements as the constants and parameters have may be computed from them alone: they are transposed, joined, cut. */
const MOST_TIMES = 8;

/** The outputs of the nodes that depend on nothing but `given`. */
function computedFrom(graph: Graph, given: Iterable<string>): string[] {
	const known = new Set(given);
	const found = graph.nodes.flatMap((node) => {
		if (!readsOf(node).every((name) => name === '' || known.has(name))) return [];
		for (const output of node.outputs) known.add(output);
		return node.outputs;
	});
	return found.filter((name) => name !== '');
}

/**
 * Throws GraphError `unsupported_model` where what follows from constants and from `parameters`, which are inputs, needs more memory than there is: a few bytes can
 * ask for terabytes of zeros, when constants are folded or in every step.
 */
export async function checkFolding(model: Model, parameters: readonly string[]): Promise<void> {
	const { graph } = model;
	const names = computedFrom(graph, [...graph.initializers.keys(), ...parameters]);
	if (names.length === 0) return;
	const moved = graph.inputs.filter(({ name }) => parameters.includes(name));
	const given = [...graph.initializers.values(), ...moved].reduce((sum, { shape }) => sum + elementsOf(shape), 0);
	const most = Math.max(MOST_COMPUTED, MOST_TIMES * given);
	let total = 0;
	for (const value of await outputsOf({ ...model, graph: withoutWeights(graph) }, names)) {
		checkSize(value, most);
		total += elementsOf(value.shape);
		if (total > most)
			throw new GraphError(
				'unsupported_model',
				`the model computes more than ${most} elements from its constants and parameters alone, such as "${value.name}" of shape [${value.shape}]`,
				value.name,
			);
	}
}

/** What the runtime knows of the outputs of a model's nodes. */
export type KnownTypes = {
	/** By name; a dimension of unknown size has a name, which may be empty. */
	readonly values: ReadonlyMap<string, Value>;
	/** The tensors whose number of dimensions is not known either. */
	readonly unknownRank: ReadonlySet<string>;
};

/** Asks the runtime for the type of every value, by making every value an output. Throws RuntimeError when the runtime refuses the model. */
export async function typesOf(model: Model): Promise<KnownTypes> {
	const bare = { ...model, graph: withoutWeights(model.graph) };
	const names = new Set(model.graph.nodes.flatMap((node) => node.outputs).filter((name) => name !== ''));
	const outputs = await outputsOf(bare, [...names]);
	const unknownRank = await unknownRanks(
		bare,
		outputs.filter(({ shape }) => shape.length === 0),
	);
	return { values: new Map(outputs.map((value) => [value.name, value])), unknownRank };
}
