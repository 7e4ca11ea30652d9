import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSession } from '@steelyard/runtime';
import { decodeModel } from './decode.js';
import { encodeModel } from './encode.js';
import { type Graph, GraphError, type Model, OPSET, type Value } from './graph.js';
import { loopsToScans } from './loops-to-scans.js';
import { typeBodies } from './type-bodies.js';

export type CanonicaliseOptions = {
	/** Sizes for symbolic dimensions. */
	dims?: Readonly<Record<string, number>>;
	/** Initializers that become inputs, so that they are not folded away. */
	parameters?: readonly string[];
};

const withDims = (value: Value, dims: Readonly<Record<string, number>>): Value => ({
	...value,
	shape: value.shape.map((dim) => (typeof dim === 'string' ? (dims[dim] ?? dim) : dim)),
});

/** Lets the runtime fold constants and clean up: the model that it writes back. */
async function folded(model: Model): Promise<Model> {
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

/** Asks the runtime for the type of every value by making each an output. */
async function typed(model: Model): Promise<Graph> {
	const names = new Set(model.graph.nodes.flatMap((node) => node.outputs).filter((name) => name !== ''));
	const session = await createSession(encodeModel(model, [...names]));
	const values = new Map<string, Value>();
	for (const value of session.outputs) {
		if (value.shape.some((dim) => typeof dim !== 'number' || dim < 0))
			throw new GraphError(
				'unknown_shape',
				`the shape of the value "${value.name}" is not known before it runs: [${value.shape}]`,
				value.name,
			);
		values.set(value.name, value);
	}
	await session.release();
	const known = (value: Value): Value => values.get(value.name) ?? value;
	return { ...model.graph, outputs: model.graph.outputs.map(known), values };
}

/**
 * Brings a model into the one form that differentiation reads: the working opset, parameters as inputs, every dimension a size, constants folded by the
 * runtime (in two passes: operators that it expands leave nodes behind that only the second folds), every value typed.
 * Throws GraphError, or RuntimeError where the runtime refuses the model.
 */
export async function canonicalise(model: Model, { dims = {}, parameters = [] }: CanonicaliseOptions = {}): Promise<Graph> {
	if (model.opset !== OPSET) throw new GraphError('unsupported_model', `the model uses operator set ${model.opset}, expected ${OPSET}`);
	const { graph } = model;
	const initializers = new Map(graph.initializers);
	const promoted = parameters.map((name): Value => {
		const initializer = initializers.get(name);
		if (initializer === undefined)
			throw new GraphError('malformed_model', `the parameter "${name}" is not an initializer of the model`, name);
		initializers.delete(name);
		return { name, dtype: initializer.dtype, shape: initializer.shape };
	});
	const inputs = [...graph.inputs.map((input) => withDims(input, dims)), ...promoted];
	const concrete: Model = {
		...model,
		graph: { ...graph, inputs, initializers, outputs: graph.outputs.map((output) => withDims(output, dims)), values: new Map() },
	};
	const once = await folded(concrete);
	const whole = await typed(await folded({ ...once, graph: loopsToScans(once.graph) }));
	return typeBodies(whole, canonicalise);
}
