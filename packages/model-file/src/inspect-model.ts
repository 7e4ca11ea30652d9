import { differentiate, gradientPaths, rules } from '@steelyard/autodiff';
import type { ModelBlocker, ModelReport } from '@steelyard/contracts';
import {
	canonicalise,
	checked,
	decodeModel,
	elementsOf,
	type Graph,
	GraphBuilder,
	GraphError,
	graphsWithin,
	HALVES,
	interfaceOf,
	isForeign,
	listOperators,
	type Model,
	type Node,
	type OperatorUse,
	parametersOf,
	reducedTo,
	type Value,
} from '@steelyard/onnx';
import { RuntimeError } from '@steelyard/runtime';
import { freeDims, sizeGiven } from './free-dims.js';
import { operatorsInTheWay } from './operators-in-the-way.js';

export type InspectOptions = {
	/** Sizes for symbolic dimensions of the trial; sensible ones stand in for what is not named. */
	dims?: Readonly<Record<string, number>>;
};

const SUM = 'steelyard/sum';
/** After so many operators without a gradient the list says enough. */
const MOST_BLOCKERS = 20;

const isFloat = ({ dtype }: { dtype: string }): boolean => dtype.startsWith('float');

/** How often each operator stands in a graph, also in the bodies of its nodes. */
function countOperators(graph: Graph): Record<string, number> {
	const counts = new Map<string, number>();
	for (const { nodes } of graphsWithin(graph)) for (const { op } of nodes) counts.set(op, (counts.get(op) ?? 0) + 1);
	return Object.fromEntries(counts);
}

/** Two rows, images of 32 x 32, and four steps of anything else. */
function trialDims(graph: Graph, given: Readonly<Record<string, number>>): Record<string, number> {
	const sizes = [...freeDims(graph)].map(([name, { axis, rank }]): [string, number] => {
		const batch = axis === 0 || /batch/i.test(name);
		const image = rank >= 4 && axis >= 2;
		return [name, sizeGiven(given, name) ?? (batch ? 2 : image ? 32 : 4)];
	});
	return Object.fromEntries(sizes);
}

/** The sum of every number of the floating outputs as the one output. */
function summed(graph: Graph): { graph: Graph; dtype: string } {
	const g = GraphBuilder.from(graph, 'steelyard/');
	const outputs = graph.outputs.filter(isFloat);
	const dtype = outputs[0]?.dtype as Value['dtype'];
	const sums = outputs.map((output) => g.cast(g.sumAll(g.value(output.name)), dtype));
	g.output(SUM, g.op('Identity', [sums.reduce((total, sum) => g.add(total, sum))]));
	return { graph: g.build(graph.name), dtype };
}

const blockerOf = (error: unknown): ModelBlocker => {
	if (error instanceof GraphError) return { code: error.code, message: error.message, where: error.where };
	if (error instanceof RuntimeError) return { code: error.code, message: error.message, where: null };
	throw error;
};

const blockerOfUse = (use: OperatorUse): ModelBlocker => ({
	code: 'unsupported_operator',
	message: `no gradient is known for the operator ${listOperators([use])}`,
	where: use.first,
});

/** The graph with what `nodes` give as inputs, so that what else stands in the way can be seen. */
function without(graph: Graph, nodes: readonly Node[]): Graph {
	const given = nodes.flatMap(({ outputs }) => outputs.flatMap((name) => graph.values.get(name) ?? []));
	return { ...graph, nodes: graph.nodes.filter((node) => !nodes.includes(node)), inputs: [...graph.inputs, ...given] };
}

/** Every operator on a path from the parameters to the outputs through which no gradient can be taken: one blocker for all nodes of an operator without a rule. */
function refusals(graph: Graph, parameters: readonly string[]): ModelBlocker[] {
	const blockers: ModelBlocker[] = [];
	const counts = new Map(operatorsInTheWay(graph, parameters).map(({ op, count }) => [op, count]));
	let rest = graph;
	while (blockers.length < MOST_BLOCKERS) {
		try {
			const reached = gradientPaths(rest, parameters).has(SUM);
			if (reached) differentiate(rest, { loss: SUM, wrt: parameters });
			return blockers;
		} catch (error) {
			const blocker = blockerOf(error);
			const node = rest.nodes.find(({ name }) => name === blocker.where);
			const isRuled = node === undefined || Object.hasOwn(rules, node.op);
			const count = counts.get(node?.op ?? '') ?? 1;
			blockers.push(isRuled || count === 1 ? blocker : { ...blocker, message: `${blocker.message}; ${count} nodes are ${node.op}` });
			if (node === undefined) return blockers;
			rest = without(rest, isRuled ? [node] : rest.nodes.filter(({ op }) => op === node.op));
		}
	}
	return blockers;
}

/**
 * Initializers that are parameters and running statistics at once. Exporters merge initializers that hold the same numbers, as the shift of a fresh norm
 * and its running mean do; trained as one they would be neither.
 */
function mergedStatistics(graph: Graph, parameters: readonly string[]): ModelBlocker[] {
	return graph.nodes.flatMap((node) => {
		const merged = node.op === 'BatchNormalization' ? node.inputs.slice(3, 5).find((name) => parameters.includes(name)) : undefined;
		if (merged === undefined) return [];
		const message = `the initializer "${merged}" is a parameter and a running statistic of node "${node.name}" (BatchNormalization) at once: the exporter merged two that hold the same numbers; export again with optimize=False`;
		return [{ code: 'merged_initializers', message, where: node.name }];
	});
}

/** The most numbers that a pass over the rows of a trial may make: 4 GiB as float32. A few bytes can ask for far more. */
const MOST_NUMBERS = 2 ** 30;

/** A blocker where all values of a graph together have more numbers than a trainer could hold. */
function tooLarge({ values }: Graph): ModelBlocker[] {
	const sized = [...values.values()].map(({ name, shape }) => ({ name, shape, size: elementsOf(shape) }));
	const total = sized.reduce((sum, { size }) => sum + size, 0);
	if (total <= MOST_NUMBERS) return [];
	const largest = sized.reduce((a, b) => (b.size > a.size ? b : a));
	const message = `a pass over the smallest batch makes ${total} numbers, and may make ${MOST_NUMBERS}; the largest value is "${largest.name}" of shape [${largest.shape}]`;
	return [{ code: 'unsupported_model', message, where: largest.name }];
}

/** The newest version of the file format that ONNX Runtime 1.29 reads. */
const NEWEST_IR = 13;

async function blockersOf(model: Model, parameters: readonly string[], given: Readonly<Record<string, number>>): Promise<ModelBlocker[]> {
	const { graph, irVersion = 0 } = model;
	if (irVersion > NEWEST_IR)
		return [
			{
				code: 'unsupported_model',
				message: `the file is of IR version ${irVersion}, but ONNX Runtime reads at most ${NEWEST_IR}; save it with model.ir_version = ${NEWEST_IR}`,
				where: null,
			},
		];
	try {
		checked(graph);
	} catch (error) {
		return [blockerOf(error)];
	}
	const floating = graph.outputs.filter(isFloat);
	if (floating.length === 0)
		return [
			{ code: 'no_floating_output', message: 'no output is of floating type, so that there is nothing to compute a loss of', where: null },
		];
	if (parameters.length === 0)
		return [{ code: 'no_trainable_parameter', message: 'no initializer is a parameter: there is nothing to train', where: null }];
	const merged = mergedStatistics(graph, parameters);
	if (merged.length > 0) return merged;
	const reduced = { ...reducedTo(graph, floating), initializers: graph.initializers };
	const inTheWay = operatorsInTheWay(reduced, parameters);
	if (inTheWay.some(({ op }) => isForeign(op))) return inTheWay.map(blockerOfUse);
	const dims = trialDims(graph, given);
	try {
		const canonical = await canonicalise({ ...model, graph: reduced }, { dims, parameters });
		const large = tooLarge(canonical);
		if (large.length > 0) return large;
		const reached = gradientPaths(canonical, parameters);
		if (!floating.some(({ name }) => reached.has(name))) {
			const names = floating.map(({ name }) => `"${name}"`).join(', ');
			const message = `no output depends on a parameter by a path that a gradient can take: ${names}`;
			return [{ code: 'output_without_parameters', message, where: floating[0]?.name ?? null }];
		}
		return refusals(summed(canonical).graph, parameters);
	} catch (error) {
		const blocker = blockerOf(error);
		const sizes = Object.entries(dims).map(([name, size]) => `${name} = ${size}`);
		const message = sizes.length === 0 ? blocker.message : `${blocker.message} (tried with ${sizes.join(', ')})`;
		const named = graph.nodes.find(({ name }) => name === blocker.where)?.op;
		return [{ ...blocker, message }, ...inTheWay.filter(({ op }) => op !== named).map(blockerOfUse)];
	}
}

/**
 * What is known of a serialised forward graph, and what blocks training it: a trial differentiates the sum of its floating outputs with regard to its
 * trainable parameters. Throws GraphError for bytes that are no model; what stands against a model is no error but a blocker of the report, also where the
 * runtime refuses it. An operator without a gradient blocks only on a path from a parameter to an output.
 */
export async function inspectModel(bytes: Uint8Array, { dims = {} }: InspectOptions = {}): Promise<ModelReport> {
	const model = decodeModel(bytes, { widen: HALVES });
	const { graph, opset, fileOpset, halves } = model;
	const parameters = parametersOf(model);
	const trainable = parameters.flatMap(({ name, trainable }) => (trainable ? [name] : []));
	return {
		opset: fileOpset ?? opset,
		...interfaceOf(model),
		parameters: parameters.map((one) => ({ ...one, dtype: halves?.get(one.name) ?? one.dtype, shape: [...one.shape] })),
		operators: countOperators(graph),
		blockers: await blockersOf(model, trainable, dims),
	};
}
