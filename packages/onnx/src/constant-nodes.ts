import { type Tensor, tensor } from '@steelyard/runtime';
import { withBodies } from './bodies.js';
import { int64Of } from './data-types.js';
import type { Attribute, Graph, Node } from './graph.js';

const vector = (shape: readonly number[], values: readonly number[]): Tensor => tensor('int64', shape, BigInt64Array.from(values, int64Of));

/** The value of a Constant node, whichever of its attributes holds it; null where that is no number. */
export function valueOf({ attributes }: Node): Tensor | null {
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

/** The graph with the named initializers as Constant nodes, before all others: so a reader takes them for numbers of a formula and not for parameters. */
export function withConstantNodes(graph: Graph, names: ReadonlySet<string>): Graph {
	const [constants, others] = [new Map(graph.initializers), new Map(graph.initializers)];
	for (const name of graph.initializers.keys()) (names.has(name) ? others : constants).delete(name);
	const nodes = [...constants].map(
		([name, value]): Node => ({ name, op: 'Constant', inputs: [], outputs: [name], attributes: { value: { type: 'tensor', value } } }),
	);
	return { ...graph, nodes: [...nodes, ...graph.nodes], initializers: others };
}

/** The graph with the values of its Constant nodes as initializers, also in the bodies of control flow. */
export function withoutConstantNodes(graph: Graph): Graph {
	const initializers = new Map(graph.initializers);
	const nodes = graph.nodes.flatMap((node): Node[] => {
		const constant = node.op === 'Constant' ? valueOf(node) : null;
		const [output = ''] = node.outputs;
		if (constant !== null && output !== '' && !initializers.has(output)) {
			initializers.set(output, constant);
			return [];
		}
		return [withBodies(node, withoutConstantNodes)];
	});
	return { ...graph, nodes, initializers };
}
