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

/** Lets the runtime fold constants and clean up: the model that it writes back. Throws RuntimeError when it refuses the model. */
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

/** Constants beyond this many elements tell the runtime nothing of shapes. */
const LARGE = 64;

/** The graph with its large constants as inputs, which makes it quick to load and says the same of types. */
function withoutWeights(graph: Graph): Graph {
	const large = [...graph.initializers].filter(([, { shape }]) => sizeOf(shape) > LARGE);
	return {
		...graph,
		inputs: [...graph.inputs, ...large.map(([name, { dtype, shape }]) => ({ name, dtype, shape }))],
		initializers: new Map([...graph.initializers].filter(([, { shape }]) => sizeOf(shape) <= LARGE)),
	};
}

/** Attention has windows from operator set 25 on that the runtime does not know; no type depends on them. */
function withoutWindows(graph: Graph): Graph {
	const known = (node: Node): Node => (node.op === 'Attention' ? withoutAttributes(node, 'left_window_size', 'right_window_size') : node);
	return changeNodes(graph, (node) => [known(node)]);
}

async function outputsOf(model: Model, names: readonly string[]): Promise<readonly Value[]> {
	if (names.length === 0) return [];
	const session = await createSession(encodeModel({ ...model, graph: withoutWindows(model.graph) }, names));
	await session.release();
	return session.outputs;
}

/** Which of the values, all of which look like scalars, are of unknown rank: only of those does the runtime not know the length of their shape. */
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

/** Elements of a tensor that is computed of constants alone, and would be computed when constants are folded. */
const MOST_FOLDED = 2 ** 27;

/** Outputs of the nodes that depend on no input. */
function constantsOf(graph: Graph): string[] {
	const constant = new Set(graph.initializers.keys());
	const found = graph.nodes.flatMap((node) => {
		if (!readsOf(node).every((name) => name === '' || constant.has(name))) return [];
		for (const output of node.outputs) constant.add(output);
		return node.outputs;
	});
	return found.filter((name) => name !== '');
}

/** Throws GraphError `unsupported_model` where folding would need more memory than there is, as for a few bytes that ask for terabytes of zeros. */
export async function checkFolding(model: Model): Promise<void> {
	const names = constantsOf(model.graph);
	if (names.length === 0) return;
	for (const value of await outputsOf({ ...model, graph: withoutWeights(model.graph) }, names)) checkSize(value, MOST_FOLDED);
}

/** What the runtime knows of the tensors that the nodes of a model give. */
export type KnownTypes = {
	/** By name; a dimension that is not known has a name, maybe an empty one. */
	readonly values: ReadonlyMap<string, Value>;
	/** Tensors of which not even the number of dimensions is known. */
	readonly unknownRank: ReadonlySet<string>;
};

/** Asks the runtime for the type of every value by making each an output. Throws RuntimeError when it refuses the model. */
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
