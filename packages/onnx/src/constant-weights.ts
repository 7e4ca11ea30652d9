import type { Tensor } from '@steelyard/runtime';
import { valueOf } from './constant-nodes.js';
import type { Model, Node } from './graph.js';
import { isFloating, parametersOf } from './parameters.js';

/** The Constant nodes of the main graph that hold floating tensors and no scalars, by output. */
const floatingConstants = (nodes: readonly Node[]): Map<string, Tensor> =>
	new Map(
		nodes.flatMap((node): Array<[string, Tensor]> => {
			const value = node.op === 'Constant' ? valueOf(node) : null;
			const [output = ''] = node.outputs;
			return value !== null && output !== '' && isFloating(value.dtype) && value.shape.length > 0 ? [[output, value]] : [];
		}),
	);

/**
 * The model with those Constant nodes of its main graph as initializers that are used as weights: some exporters write parameters so. All others, such as scalars
 * and sizes, stay nodes. `written` are the names that nodes of the file itself give, so that trained numbers can be written back to them.
 */
export function withConstantWeights(model: Model, written: ReadonlySet<string>): Model {
	const { graph } = model;
	const candidates = new Map([...floatingConstants(graph.nodes)].filter(([name]) => written.has(name) && !graph.initializers.has(name)));
	if (candidates.size === 0) return model;
	const moved = (names: ReadonlyMap<string, Tensor>): Model => ({
		...model,
		graph: {
			...graph,
			nodes: graph.nodes.filter(({ op, outputs }) => !(op === 'Constant' && names.has(outputs[0] as string))),
			initializers: new Map([...graph.initializers, ...names]),
		},
	});
	const weights = new Set(parametersOf(moved(candidates)).flatMap(({ name, trainable }) => (trainable ? [name] : [])));
	const kept = new Map([...candidates].filter(([name]) => weights.has(name)));
	return kept.size === 0 ? model : { ...moved(kept), constantWeights: new Set(kept.keys()) };
}
