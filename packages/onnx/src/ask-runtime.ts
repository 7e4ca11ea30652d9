import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSession, sizeOf } from '@steelyard/runtime';
import { withoutAttributes } from './attributes.js';
import { changeNodes, readsOf } from './bodies.js';
import { checkSize } from './check.js';
import { decodeModel } from './decode.js';
import { encodeModel } from './encode.js';
import type { Graph, Model, Node, Value } from './graph.js';

/** The model after the runtime has folded its constants and cleaned it up. Throws RuntimeError when the runtime refuses the model. */
export async function folded(model: Model): Promise<Model> {
	const folder = await mkdtemp(join(tmpdir(), 'steelyard-'));
	try {
		const path = join(folder, 'model.onnx');
		const session = await createSession(encodeModel(model), { optimisation: 'basic', optimisedModelPath: path });
		await session.release();
		return { ...decodeModel(await readFile(path)), opset: model.opset };
	} finally {
		await rm(folder, { recursive: true });
	}
}

/** From constants of more elements than this the runtime infers no shapes. */
const LARGE = 64;

/** The graph with its large constants as inputs: it loads quickly, and its values have the same types. */
function withoutWeights(graph: Graph): Graph {
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

/** The most elements that a tensor may have which is computed from constants alone, and so would be computed while constants are folded. */
const MOST_FOLDED = 2 ** 27;

/** The outputs of the nodes that depend on no input of the graph. */
function constantsOf(graph: Graph): string[] {
	const constant = new Set(graph.initializers.keys());
	const found = graph.nodes.flatMap((node) => {
		if (!readsOf(node).every((name) => name === '' || constant.has(name))) return [];
		for (const output of node.outputs) constant.add(output);
		return node.outputs;
	});
	return found.filter((name) => name !== '');
}

/** Throws GraphError `unsupported_model` where folding constants would need more memory than there is: a few bytes can ask for terabytes of zeros. */
export async function checkFolding(model: Model): Promise<void> {
	const names = constantsOf(model.graph);
	if (names.length === 0) return;
	for (const value of await outputsOf({ ...model, graph: withoutWeights(model.graph) }, names)) checkSize(value, MOST_FOLDED);
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
