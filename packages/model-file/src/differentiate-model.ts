import { differentiate } from '@steelyard/autodiff';
import {
	canonicalise,
	decodeModel,
	encodeModel,
	type Graph,
	GraphBuilder,
	GraphError,
	type Model,
	OPSET,
	parametersOf,
	reducedTo,
	type Value,
} from '@steelyard/onnx';
import { createSession } from '@steelyard/runtime';
import { freeDims, sizeGiven } from './free-dims.js';

export type DifferentiateModelOptions = {
	/** Name of a scalar value of floating type. */
	loss: string;
	/** Initializers and inputs of floating type; the trainable initializers unless given. */
	wrt?: readonly string[];
	/** Sizes for the symbolic dimensions of the inputs. */
	dims?: Readonly<Record<string, number>>;
	/** Size of every symbolic dimension that is the first of an input and that `dims` leaves open; such a dimension is refused unless this is given. */
	batch?: number;
};

export type DifferentiatedModel = {
	/** Serialised ONNX of operator set 18: the same inputs and initializers, as far as they are used; outputs the loss and `grad/<name>` for each of `wrt`. */
	bytes: Uint8Array;
	wrt: readonly string[];
	/** The sizes of the symbolic dimensions of the inputs. */
	dims: Readonly<Record<string, number>>;
};

const isFloat = ({ dtype }: { dtype: string }): boolean => dtype.startsWith('float');
const listed = (names: Iterable<string>): string => {
	const all = [...names];
	const shown = all.slice(0, 30).map((name) => `"${name}"`);
	return all.length === 0 ? 'none' : shown.join(', ') + (all.length > shown.length ? ` and ${all.length - shown.length} more` : '');
};

/** A size for every symbolic dimension that is the first of an input. */
const batchDims = (graph: Graph, size: number): Record<string, number> =>
	Object.fromEntries([...freeDims(graph)].flatMap(([name, { axis }]) => (axis === 0 ? [[name, size]] : [])));

function checkDims(graph: Graph, dims: Readonly<Record<string, number>>): void {
	const free = freeDims(graph);
	for (const name of Object.keys(dims))
		if (!free.has(name))
			throw new GraphError('unknown_shape', `no input has a dimension "${name}"; its symbolic dimensions: ${listed(free.keys())}`, name);
	const open = [...free].filter(([name]) => sizeGiven(dims, name) === undefined);
	if (open.length === 0) return;
	const where = open.map(([name, { input, axis }]) => `"${name}" (axis ${axis} of the input "${input}")`).join(', ');
	const how = open.map(([name]) => `${name}=4`).join(',');
	throw new GraphError(
		'unknown_shape',
		`every dimension needs a size, and these have none: ${where}; set them, such as by --dims ${how}`,
		open[0]?.[0],
	);
}

/** The loss with its type, as the runtime infers it. */
async function typedLoss(model: Model, loss: string): Promise<Value> {
	const { graph } = model;
	const made = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
	made.delete('');
	if (!made.has(loss)) {
		const outputs = graph.outputs.map(({ name }) => name);
		const others = [...made].filter((name) => !outputs.includes(name));
		throw new GraphError(
			'malformed_model',
			`no node makes a value "${loss}"; outputs: ${listed(outputs)}; other values: ${listed(others)}`,
			loss,
		);
	}
	const known = graph.outputs.find(({ name }) => name === loss);
	if (known !== undefined) return known;
	const session = await createSession(
		encodeModel({ ...model, graph: reducedTo(graph, [{ name: loss, dtype: 'float32', shape: [] }]) }, [loss]),
	);
	const value = session.outputs[0];
	await session.release();
	if (value === undefined) throw new GraphError('unsupported_model', `the value "${loss}" is no tensor`, loss);
	return value;
}

function checkWrt(graph: Graph, wrt: readonly string[]): void {
	const values = new Map<string, { dtype: string }>([...graph.inputs.map((input) => [input.name, input] as const), ...graph.initializers]);
	for (const name of wrt) {
		const value = values.get(name);
		const known = (): string => listed([...values].filter(([, value]) => isFloat(value)).map(([name]) => name));
		if (value === undefined)
			throw new GraphError('malformed_model', `"${name}" is neither an initializer nor an input; those of floating type: ${known()}`, name);
		if (!isFloat(value))
			throw new GraphError(
				'unsupported_model',
				`"${name}" is ${value.dtype}; gradients are of floating type, which have: ${known()}`,
				name,
			);
	}
}

/**
 * A serialised model as one that also gives the gradients of its loss. Dimensions of the inputs are sizes in the result.
 * Throws GraphError, naming what is wrong and what there is: an unknown loss, name or dimension, a loss that is no scalar, an operator without a gradient on the
 * path from the loss; RuntimeError where the runtime refuses the model.
 */
export async function differentiateModel(
	bytes: Uint8Array,
	{ loss, wrt, dims: given = {}, batch }: DifferentiateModelOptions,
): Promise<DifferentiatedModel> {
	const model = decodeModel(bytes);
	const dims = { ...(batch === undefined ? {} : batchDims(model.graph, batch)), ...given };
	checkDims(model.graph, dims);
	const trainable = parametersOf(model).flatMap(({ name, trainable }) => (trainable ? [name] : []));
	const targets = [...new Set(wrt ?? trainable)];
	checkWrt(model.graph, targets);
	if (targets.length === 0)
		throw new GraphError('malformed_model', 'the model has no trainable initializer; name what to differentiate with regard to by --wrt');
	const value = await typedLoss(model, loss);
	if (!isFloat(value)) throw new GraphError('unsupported_model', `the loss "${loss}" is ${value.dtype}, expected a floating type`, loss);

	const reduced = reducedTo(model.graph, [value]);
	const initializers = new Map([...model.graph.initializers].filter(([name]) => reduced.initializers.has(name) || targets.includes(name)));
	const kept = [...initializers.keys()].filter((name) => trainable.includes(name) || targets.includes(name));
	const canonical = await canonicalise({ ...model, graph: { ...reduced, initializers } }, { dims, parameters: kept });
	const { graph, gradients } = differentiate(canonical, { loss, wrt: targets });

	const g = GraphBuilder.from({ ...graph, inputs: graph.inputs.filter(({ name }) => !initializers.has(name)) });
	for (const name of kept) g.initializer(name, initializers.get(name)!);
	g.output(loss, g.value(loss));
	for (const name of targets) g.output(`grad/${name}`, gradients.get(name) as Value);
	const full = g.build(model.graph.name);
	const out = encodeModel({ graph: reducedTo(full, full.outputs), opset: OPSET, metadata: model.metadata ?? {} });
	await (await createSession(out)).release();
	return { bytes: out, wrt: targets, dims };
}
