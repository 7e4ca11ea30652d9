import { differentiate } from '@steelyard/autodiff';
import {
	canonicalise,
	decodeModel,
	encodeModel,
	type Graph,
	GraphBuilder,
	GraphError,
	HALVES,
	type Model,
	OPSET,
	parametersOf,
	reducedTo,
	type Value,
	withFloat16Edges,
} from '@steelyard/onnx';
import { createSession, RuntimeError, type Tensor } from '@steelyard/runtime';
import { freeDims, sizeGiven } from './free-dims.js';
import { largestDifference } from './largest-difference.js';
import { mergeSizes } from './merge-sizes.js';
import { SizeError } from './size-error.js';

export type DifferentiateModelOptions = {
	/** Name of a scalar value of floating type. */
	loss: string;
	/** Initializers and inputs of floating type; the trainable initializers unless given. */
	wrt?: readonly string[];
	/** Sizes for symbolic dimensions of the inputs; the others stay symbolic. */
	dims?: Readonly<Record<string, number>>;
	/** Size of every symbolic dimension that is the first of an input, for a model whose dimensions cannot stay symbolic; such a one is refused unless this is given. */
	batch?: number;
	/** What the trainable initializers are in the result; initializers unless given. */
	parameters?: 'initializers' | 'inputs';
};

export type DifferentiatedModel = {
	/** Serialised ONNX of operator set 18: the same inputs and initializers, as far as they are used; outputs the loss and `grad/<name>` for each of `wrt`. */
	bytes: Uint8Array;
	wrt: readonly string[];
	/** The trainable or differentiated initializers that the gradients need, which are inputs where that was asked for. */
	parameters: readonly string[];
	/** The sizes that symbolic dimensions of the inputs were given. */
	dims: Readonly<Record<string, number>>;
	/** The dimensions that stay symbolic. */
	symbolic: readonly string[];
	/** Why open dimensions were given sizes; null where they were not. */
	reason: string | null;
};

/** Between two orders of summation in float32, relative to the largest number of an output. */
const MOST_DIFFERENCE = 1e-3;

const isFloat = ({ dtype }: { dtype: string }): boolean => dtype.startsWith('float');
const listed = (names: Iterable<string>): string => {
	const all = [...names];
	const shown = all.slice(0, 30).map((name) => `"${name}"`);
	return all.length === 0 ? 'none' : shown.join(', ') + (all.length > shown.length ? ` and ${all.length - shown.length} more` : '');
};

/** A size for every symbolic dimension that is the first of an input. */
const batchDims = (graph: Graph, size: number): Record<string, number> =>
	Object.fromEntries([...freeDims(graph)].flatMap(([name, { axis }]) => (axis === 0 ? [[name, size]] : [])));

function checkDimNames(graph: Graph, dims: Readonly<Record<string, number>>): void {
	const free = freeDims(graph);
	for (const name of Object.keys(dims))
		if (!free.has(name))
			throw new GraphError('unknown_shape', `no input has a dimension "${name}"; its symbolic dimensions: ${listed(free.keys())}`, name);
}

function checkDims(graph: Graph, dims: Readonly<Record<string, number>>, reason: string | null): void {
	const open = [...freeDims(graph)].filter(([name]) => sizeGiven(dims, name) === undefined);
	if (open.length === 0) return;
	const where = open.map(([name, { input, axis }]) => `"${name}" (axis ${axis} of the input "${input}")`).join(', ');
	const how = open.map(([name]) => `${name}=4`).join(',');
	throw new GraphError(
		'unknown_shape',
		`these dimensions need a size, since no one graph is right at every size: ${where}; set them, such as by --dims ${how}. What differs: ${reason}`,
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

const gradientName = (name: string): string => `grad/${name}`;

/** What is differentiated: a model whose loss and targets are known to be right. */
type Task = {
	readonly model: Model;
	readonly loss: string;
	readonly wrt: readonly string[];
	/** Initializers that are inputs while the model is differentiated. */
	readonly parameters: readonly string[];
};

/** The graph that gives the loss and the gradients at sizes of all dimensions; parameters are inputs. */
async function gradientsAt({ model, loss, wrt, parameters }: Task, dims: Readonly<Record<string, number>>): Promise<Graph> {
	const { graph, gradients } = differentiate(await canonicalise(model, { dims, parameters }), { loss, wrt });
	const g = GraphBuilder.from(graph);
	g.output(loss, g.value(loss));
	for (const name of wrt) g.output(gradientName(name), gradients.get(name) as Value);
	const full = g.build(model.graph.name);
	return reducedTo(full, full.outputs);
}

/** Sizes of which a graph is made that is to hold for all: primes, so that no number of the model follows two of them in the same way by chance. */
const TRIED = [11, 13, 17, 19, 23, 29, 31, 37, 41] as const;
/** Sizes at which it must give the same as a graph made for them: an even one, and 1, where sizes and broadcasting can be confused. */
const CONFIRMED = [6, 1] as const;

/** The graph that gives loss and gradients at every size of `free`; `dims` are the sizes of the others. Throws SizeError, GraphError or RuntimeError where there is none. */
async function gradientsAtAnySize(task: Task, free: readonly string[], dims: Readonly<Record<string, number>>): Promise<Graph> {
	const sizesOf = (sizes: readonly number[]): Record<string, number> => ({
		...dims,
		...Object.fromEntries(free.map((name, i) => [name, sizes[i] as number])),
	});
	const places = freeDims(task.model.graph);
	const samples = [0, 1, 2].map((k) => free.map((_, i) => TRIED[(3 * i + ((k + i) % 3)) % TRIED.length] as number));
	const graphs: Graph[] = [];
	for (const sizes of samples) graphs.push(await gradientsAt(task, sizesOf(sizes)));
	const graph = mergeSizes({
		dims: free,
		samples,
		graphs,
		places: free.map((name) => places.get(name) as { input: string; axis: number }),
	});
	for (const [k, size] of CONFIRMED.entries()) {
		const sizes = free.map((_, i) => (size === 1 ? 1 : size + 2 * i));
		const sized = await gradientsAt(task, sizesOf(sizes)).catch((error: unknown) => {
			if (k === 0) throw error; // a size of 1 may be too small for the model itself
			return null;
		});
		if (sized === null) continue;
		const difference = await largestDifference(graph, sized, task.model.graph.initializers);
		if (!(difference <= MOST_DIFFERENCE))
			throw new SizeError(`its gradients are others, by ${difference.toPrecision(2)} of the largest at ${sizes}`);
	}
	return graph;
}

/** The graph with its parameters as initializers again. */
const withInitializers = (graph: Graph, parameters: ReadonlyMap<string, Tensor>): Graph => {
	const inputs = graph.inputs.filter(({ name }) => !parameters.has(name));
	const whole = { ...graph, inputs, initializers: new Map([...parameters, ...graph.initializers]) };
	return reducedTo(whole, whole.outputs);
};

/** The graph with the dimensions that `given` leaves open as they are; with sizes for them where no one graph holds for every size, and why. */
async function sizedOrNot(
	task: Task,
	given: Readonly<Record<string, number>>,
	batch: number | undefined,
): Promise<{ graph: Graph; dims: Record<string, number>; symbolic: readonly string[]; reason: string | null }> {
	const free = [...freeDims(task.model.graph).keys()].filter((name) => sizeGiven(given, name) === undefined);
	let reason: string | null = null;
	if (free.length > 0)
		try {
			return { graph: await gradientsAtAnySize(task, free, given), dims: { ...given }, symbolic: free, reason };
		} catch (error) {
			const atAnySize = error instanceof GraphError && error.code === 'unsupported_operator';
			if (atAnySize || !(error instanceof SizeError || error instanceof GraphError || error instanceof RuntimeError)) throw error;
			reason = error.message;
		}
	const dims = { ...(batch === undefined ? {} : batchDims(task.model.graph, batch)), ...given };
	checkDims(task.model.graph, dims, reason);
	return { graph: await gradientsAt(task, dims), dims, symbolic: [], reason };
}

/**
 * A serialised model as one that also gives the gradients of its loss. A dimension of the inputs that `dims` leaves open stays open, wherever one graph is right at every
 * size of it. All that is float16 or bfloat16 is computed in float32; inputs, initializers, loss and gradients are float16 where the model has them so, and float32
 * where it has bfloat16.
 * Throws GraphError, naming what is wrong and what there is: an unknown loss, name or dimension, a loss that is no scalar, an operator without a gradient on the
 * path from the loss; RuntimeError where the runtime refuses the model.
 */
export async function differentiateModel(
	bytes: Uint8Array,
	{ loss, wrt, dims: given = {}, batch, parameters = 'initializers' }: DifferentiateModelOptions,
): Promise<DifferentiatedModel> {
	const model = decodeModel(bytes, { widen: HALVES });
	checkDimNames(model.graph, given);
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
	const task: Task = { model: { ...model, graph: { ...reduced, initializers } }, loss, wrt: targets, parameters: kept };

	const { graph, dims, symbolic, reason } = await sizedOrNot(task, given, batch);
	const whole =
		parameters === 'inputs' ? graph : withInitializers(graph, new Map(kept.map((name) => [name, initializers.get(name) as Tensor])));
	const float16 = [...(model.halves ?? [])].flatMap(([name, half]) => (half === 'float16' ? [name, gradientName(name)] : []));
	const out = encodeModel({ graph: withFloat16Edges(whole, new Set(float16)), opset: OPSET, metadata: model.metadata ?? {} });
	await (await createSession(out)).release();
	return {
		bytes: out,
		wrt: targets,
		parameters: kept.filter((name) => graph.inputs.some((input) => input.name === name)),
		dims,
		symbolic,
		reason,
	};
}
