import { type Graph, type Node, renamedNode, type Value } from '@steelyard/onnx';
import { tensor } from '@steelyard/runtime';
import type { Feed } from './feeds.js';

/** The value `[batch, …shape]` that the weight of a modality multiplies. */
export type Embedding = { readonly modality: string; readonly value: string; readonly shape: readonly number[] };

/**
 * The graph with every use of an embedding replaced: by its product with a new input, the weight of its modality, for those in `kept`; by a new input that
 * is zero for the others, whose encoders nothing needs then. Says what goes into the new inputs.
 */
export function weighEmbeddings(
	graph: Graph,
	embeddings: readonly Embedding[],
	kept: ReadonlySet<string>,
): { graph: Graph; feeds: Feed[] } {
	const inputs: Value[] = [];
	const feeds: Feed[] = [];
	const initializers = new Map(graph.initializers);
	const replacement = new Map<string, string>();
	const products = new Map<string, Node[]>();
	const add = (feed: Feed): void => {
		feeds.push(feed);
		inputs.push({ name: feed.name, dtype: feed.dtype, shape: ['batch', ...feed.shape] });
	};
	for (const { modality, value, shape } of embeddings) {
		const name = (part: string): string => `steelyard/${part}.${modality}`;
		if (!kept.has(modality)) {
			add({ name: name('none'), dtype: 'float32', shape, source: { from: 'constant', modality, value: 0 } });
			replacement.set(value, name('none'));
			continue;
		}
		add({ name: name('weight'), dtype: 'float32', shape: [1], source: { from: 'weight', modality } });
		initializers.set(name('shape'), tensor('int64', [shape.length + 1], [-1, ...shape.map(() => 1)]));
		replacement.set(value, name('weighted'));
		products.set(value, [
			{ name: name('column'), op: 'Reshape', inputs: [name('weight'), name('shape')], outputs: [name('column')], attributes: {} },
			{ name: name('weighted'), op: 'Mul', inputs: [value, name('column')], outputs: [name('weighted')], attributes: {} },
		]);
	}
	const replaced = (value: string): string => replacement.get(value) ?? value;
	const nodes = graph.nodes.flatMap((node) => [
		{ ...renamedNode(node, replaced), outputs: node.outputs },
		...node.outputs.flatMap((output) => products.get(output) ?? []),
	]);
	const ofInputs = graph.inputs.flatMap(({ name }) => products.get(name) ?? []);
	return { graph: { ...graph, inputs: [...graph.inputs, ...inputs], initializers, nodes: [...ofInputs, ...nodes] }, feeds };
}
