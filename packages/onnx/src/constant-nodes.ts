import { type Tensor, tensor } from '@steelyard/runtime';
import { int64Of } from './data-types.js';
import type { Attribute, Graph, Node } from './graph.js';

const vector = (shape: readonly number[], values: readonly number[]): Tensor => tensor('int64', shape, BigInt64Array.from(values, int64Of));

/** The constant that a Constant node holds, whichever attribute it uses; null for one that is no number. */
function valueOf({ attributes }: Node): Tensor | null {
	const [name, attribute] = Object.entries(attributes)[0] ?? [];
	switch (`${name} ${(attribute as Attribute | undefined)?.type}`) {
		case 'value tensor':
			return (attribute as Extract<Attribute, { type: 'tensor' }>).value;
		case 'value_float float':
		case 'value_int int': {
			const { type, value } = attribute as Extract<Attribute, { type: 'int' | 'float' }>;
			return type === 'int' ? vector([], [value]) : tensor('float32', [], [value]);
		}
		case 'value_floats floats':
		case 'value_ints ints': {
			const { type, value } = attribute as Extract<Attribute, { type: 'ints' | 'floats' }>;
			return type === 'ints' ? vector([value.length], value) : tensor('float32', [value.length], value);
		}
		default:
			return null;
	}
}

/** The graph with the constants of its Constant nodes as initializers, in the bodies of control flow as well. */
export function withoutConstantNodes(graph: Graph): Graph {
	const initializers = new Map(graph.initializers);
	const nodes = graph.nodes.flatMap((node): Node[] => {
		const constant = node.op === 'Constant' ? valueOf(node) : null;
		const [output = ''] = node.outputs;
		if (constant !== null && output !== '' && !initializers.has(output)) {
			initializers.set(output, constant);
			return [];
		}
		const entries = Object.entries(node.attributes);
		if (!entries.some(([, attribute]) => attribute.type === 'graph')) return [node];
		const attributes = entries.map(([name, attribute]) => [
			name,
			attribute.type === 'graph' ? { ...attribute, value: withoutConstantNodes(attribute.value) } : attribute,
		]);
		return [{ ...node, attributes: Object.fromEntries(attributes) }];
	});
	return { ...graph, nodes, initializers };
}
