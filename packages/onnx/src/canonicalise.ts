import { checkFolding, folded as foldedOnce, type KnownTypes, typesOf } from './ask-runtime.js';
import { withoutBatchFirst } from './batch-first.js';
import { graphsWithin } from './bodies.js';
import { checkConvolutions, checked, checkSize } from './check.js';
import { withoutConstantNodes } from './constant-nodes.js';
import { withConstantPlaces } from './constant-places.js';
import { checkDomains } from './domains.js';
import { expand, hasComposites } from './expand.js';
import { NEWEST, toWorkingOpset } from './forms.js';
import { allValues, type Dim, type Graph, GraphError, type Model, OPSET, type Value } from './graph.js';
import { withoutIdentityTransposes } from './identity-transposes.js';
import { loopsToScans } from './loops-to-scans.js';
import { OLDEST, upgraded } from './older-forms.js';
import { withoutOptionals } from './optionals.js';
import { namesToKeep, withOwnNames } from './own-names.js';
import { withoutSequences } from './sequences.js';
import { changeBodies, typeBodies } from './type-bodies.js';

export type CanonicaliseOptions = {
	/** Sizes for symbolic dimensions. */
	dims?: Readonly<Record<string, number>>;
	/** Initializers that become inputs, so that they are not folded away. */
	parameters?: readonly string[];
	/**
	 * Whether a value may have dimensions that only a run knows, such as the rows that a computed Split cuts off. Such a value, which may not stand in a body,
	 * has the shape that the model's own `values` give it; two dimensions of the same name must be equal.
	 */
	runTimeSizes?: boolean;
};

const withDims = (value: Value, dims: Readonly<Record<string, number>>): Value => ({
	...value,
	shape: value.shape.map((dim) => (typeof dim === 'string' && Object.hasOwn(dims, dim) ? (dims[dim] as number) : dim)),
});

/** The model with every given dimension a size and the parameters inputs. */
function concrete(model: Model, { dims = {}, parameters = [] }: CanonicaliseOptions): Model {
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
	const outputs = graph.outputs.map((output) => withDims(output, dims));
	const whole = checked({ ...graph, inputs, initializers, outputs, values: new Map() });
	return { ...model, graph: withoutIdentityTransposes(withoutBatchFirst(withoutSequences(withoutConstantNodes(withoutOptionals(whole))))) };
}

/** The model after the runtime has folded its constants, and those that depend on where constants are not zero. */
async function folded(model: Model): Promise<Model> {
	const once = await foldedOnce(model);
	const graph = withConstantPlaces(once.graph);
	return graph === once.graph ? once : folded({ ...once, graph });
}

const sized = ({ values, unknownRank }: KnownTypes): Map<string, Value> => new Map([...values].filter(([name]) => !unknownRank.has(name)));

/**
 * The model with every composite operator written as those that it consists of, in the model's own operator set. Some expansions need shapes or constants that are
 * known only after other operators are written out, or after the runtime has folded constants: so it takes several passes.
 */
async function expanded(model: Model): Promise<Model> {
	let current = model;
	for (let isFolded = false; hasComposites(current.graph, model.opset); ) {
		const { model: next, count, waiting } = expand(current, sized(await typesOf(current)));
		current = next;
		if (waiting === null) break;
		if (count > 0) continue;
		if (isFolded) throw waiting;
		current = await folded(current);
		isFolded = true;
	}
	const [, ...bodies] = graphsWithin(current.graph);
	if (!bodies.some((body) => hasComposites(body, model.opset))) return current;
	const values = sized(await typesOf(current));
	const graph = await changeBodies({ ...current.graph, values }, model.opset, async (body) => (await expanded(body)).graph);
	return { ...current, graph: { ...graph, values: current.graph.values } };
}

/** The value as the runtime found it; a dimension that it does not know, or the whole shape where it does not know the number of dimensions, is that of `declared`. */
function completed(found: Value, rankIsKnown: boolean, declared: Value): Value {
	if (!rankIsKnown) return { ...found, shape: declared.shape };
	if (declared.shape.length !== found.shape.length) return found;
	return { ...found, shape: found.shape.map((dim, axis) => (isSize(dim) ? dim : (declared.shape[axis] as Dim))) };
}

const isSize = (dim: Dim): boolean => typeof dim === 'number' && dim >= 0;

/**
 * The graph with the type of every value. Throws GraphError `unknown_shape` that names the first value whose shape is not known; a value of `runTimeSizes` may have
 * dimensions that have a name instead of a size.
 */
async function typed(model: Model, runTimeSizes: ReadonlyMap<string, Value> | null): Promise<Graph> {
	const { values: found, unknownRank } = await typesOf(model);
	const values = new Map(
		[...found].map(([name, value]) => {
			const declared = runTimeSizes?.get(name);
			return [name, declared === undefined ? value : completed(value, !unknownRank.has(name), declared)];
		}),
	);
	for (const node of model.graph.nodes)
		for (const name of node.outputs) {
			if (name === '') continue;
			const value = values.get(name);
			if (value === undefined)
				throw new GraphError('unsupported_model', `the value "${name}", which node "${node.name}" (${node.op}) gives, is no tensor`, name);
			if (unknownRank.has(name) && !runTimeSizes?.has(name))
				throw new GraphError(
					'unknown_shape',
					`the number of dimensions of the value "${name}", which node "${node.name}" (${node.op}) gives, is not known before it runs`,
					name,
				);
			if (!value.shape.every((dim) => isSize(dim) || (runTimeSizes?.has(name) && dim !== '')))
				throw new GraphError('unknown_shape', `the shape of the value "${name}" is not known before it runs: [${value.shape}]`, name);
			checkSize(value);
		}
	const typed = { ...model.graph, values };
	const known = allValues(typed);
	checkConvolutions(model.graph.nodes, known);
	return { ...typed, outputs: model.graph.outputs.map((output) => known.get(output.name) ?? output) };
}

async function canonical(model: Model, options: CanonicaliseOptions = {}): Promise<Graph> {
	if (model.opset < OLDEST || model.opset > NEWEST)
		throw new GraphError(
			'unsupported_model',
			`the model uses operator set ${model.opset}, expected ${OLDEST} to ${NEWEST}; convert it by onnx.version_converter, or export it again at operator set ${OPSET}`,
		);
	const whole = concrete(upgraded(model), options);
	checkDomains(whole.graph);
	await checkFolding(whole, options.parameters ?? []);
	const plain = await expanded(whole);
	const once = await folded(toWorkingOpset(plain));
	const runTimeSizes = options.runTimeSizes ? model.graph.values : null;
	return typeBodies(await typed(await folded({ ...once, graph: await loopsToScans(once.graph) }), runTimeSizes), canonical);
}

/**
 * Brings a model of operator set 7 to 26 into the one form that differentiation reads: in the working operator set, with parameters as inputs, every dimension a
 * size, composite operators written out (`composites`), also those of other domains, constants folded by the runtime, Loops of a fixed length as Scans, and every value
 * typed, also inside bodies. The runtime folds twice: where it expands an operator itself, it leaves nodes behind that only the second pass folds. Values of the model keep their
 * names, those that it does not have get names of our own. Throws GraphError, or RuntimeError where the runtime refuses the model.
 */
export async function canonicalise(model: Model, options: CanonicaliseOptions = {}): Promise<Graph> {
	const graph = await canonical(model, options);
	return withOwnNames(graph, namesToKeep(model.graph, graph));
}
