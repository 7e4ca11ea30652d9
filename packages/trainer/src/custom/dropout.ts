import { type Attribute, type Graph, GraphError, type Node } from '@steelyard/onnx';
import { type Tensor, tensor } from '@steelyard/runtime';
import { POOL_WIDTH } from '../model/dropout-pool.js';

/** A dropout of the graph that is active in training: the input that takes rows of the pool for it, and how many numbers it needs per row of the batch. */
export type DropoutSite = { readonly rows: string; readonly perRow: number };

/** The input that takes the pool of random numbers. */
export const POOL = 'steelyard/pool';

/** A number that the graph holds, as initializer or Constant; null for what is computed. */
function constant(graph: Graph, name: string): number | null {
	const attribute = graph.nodes.find(({ op, outputs }) => op === 'Constant' && outputs[0] === name)?.attributes['value'];
	const value = graph.initializers.get(name) ?? (attribute?.type === 'tensor' ? attribute.value : undefined);
	return value === undefined ? null : Number(value.data[0]);
}

/** Whether a node is a Dropout in training form. Throws GraphError where that is known only when it runs. */
function drops(graph: Graph, { name, op, inputs }: Node): boolean {
	const mode = inputs[2] ?? '';
	if (op !== 'Dropout' || mode === '') return false;
	const value = constant(graph, mode);
	if (value === null)
		throw new GraphError('unsupported_model', `node "${name}" (Dropout) computes whether it is in training; expected a constant`, name);
	return value !== 0;
}

/** The nodes of a graph that drop in training. */
export const droppingNodes = (graph: Graph): Node[] => graph.nodes.filter((node) => drops(graph, node));

/** The graph with every dropout letting all through. */
export const withoutDropout = (graph: Graph): Graph => ({
	...graph,
	nodes: graph.nodes.map((node) => (drops(graph, node) ? { ...node, inputs: node.inputs.slice(0, 2) } : node)),
});

/**
 * The graph with every dropout in training form as y = x·kept/(1 − ratio), where kept is 1 for the numbers of the pool that are not below the ratio.
 * `perRow`: how many numbers each needs per row of the batch, by the name of its output.
 */
export function withDropout(graph: Graph, perRow: ReadonlyMap<string, number>): { graph: Graph; sites: DropoutSite[] } {
	const initializers = new Map<string, Tensor>(graph.initializers);
	const sites: DropoutSite[] = [];
	const nodes = graph.nodes.flatMap((node): Node[] => {
		if (!drops(graph, node)) return [node];
		const ratio = (node.inputs[1] ?? '') === '' ? 0.5 : constant(graph, node.inputs[1] as string);
		if (ratio === null || !(ratio >= 0 && ratio < 1))
			throw new GraphError(
				'unsupported_model',
				`node "${node.name}" (Dropout) has the ratio ${ratio ?? 'of another node'}, expected a constant from 0 to below 1`,
				node.name,
			);
		const [x, y] = [node.inputs[0] as string, node.outputs[0] as string];
		const name = (part: string): string => `steelyard/dropout.${sites.length}/${part}`;
		const made: Node[] = [];
		const add = (part: string, op: string, inputs: string[], attributes: Node['attributes'] = {}, output = name(part)): string => {
			made.push({ name: name(part), op, inputs, outputs: [output], attributes });
			return output;
		};
		const held = (part: string, value: Tensor): string => {
			initializers.set(name(part), value);
			return name(part);
		};
		const all = held('all', tensor('int64', [1], [-1]));
		const flat = add('flat', 'Reshape', [add('drawn', 'Gather', [POOL, name('rows')]), all]);
		const shape = add('shape', 'Shape', [x]);
		const size = add('size', 'ReduceProd', [shape]); // the runtime folds it, as it does not Size
		const cut = add('cut', 'Slice', [flat, held('first', tensor('int64', [1], [0])), size]);
		const numbers = add('numbers', 'Reshape', [cut, shape]);
		const kept = add('kept', 'GreaterOrEqual', [numbers, held('ratio', tensor('float32', [], [ratio]))], {}, node.outputs[1] || undefined);
		const mask = add('mask', 'Cast', [kept], { to: { type: 'int', value: 1 } satisfies Attribute });
		add('y', 'Mul', [x, add('factor', 'Mul', [mask, held('scale', tensor('float32', [], [1 / (1 - ratio)]))])], {}, y);
		sites.push({ rows: name('rows'), perRow: perRow.get(y) as number });
		return made;
	});
	const inputs = [
		...graph.inputs,
		...(sites.length === 0 ? [] : [{ name: POOL, dtype: 'float32' as const, shape: ['pool', POOL_WIDTH] }]),
		...sites.map(({ rows }) => ({ name: rows, dtype: 'int64' as const, shape: ['rows'] })),
	];
	return { graph: { ...graph, inputs, initializers, nodes }, sites };
}
