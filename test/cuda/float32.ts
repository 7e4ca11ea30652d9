import { type Attribute, type Graph, type Node, type Value, withBodies } from '@steelyard/onnx';
import { type Tensor, tensor } from '@steelyard/runtime';

const FLOAT = 1;
const DOUBLE = 11;

const number = (value: Tensor): Tensor => (value.dtype === 'float64' ? tensor('float32', value.shape, value.data) : value);
const typed = (value: Value): Value => (value.dtype === 'float64' ? { ...value, dtype: 'float32' } : value);
const attribute = (name: string, value: Attribute): Attribute => {
	if (value.type === 'tensor') return { ...value, value: number(value.value) };
	return ['to', 'dtype'].includes(name) && value.type === 'int' && value.value === DOUBLE ? { ...value, value: FLOAT } : value;
};
const node = (one: Node): Node => ({
	...withBodies(one, toFloat32),
	attributes: Object.fromEntries(
		Object.entries(withBodies(one, toFloat32).attributes).map(([name, value]) => [name, attribute(name, value)]),
	),
});

/** The graph with float32 in the place of float64. */
export function toFloat32(graph: Graph): Graph {
	return {
		...graph,
		inputs: graph.inputs.map(typed),
		outputs: graph.outputs.map(typed),
		initializers: new Map([...graph.initializers].map(([name, value]) => [name, number(value)])),
		values: new Map([...graph.values].map(([name, value]) => [name, typed(value)])),
		nodes: graph.nodes.map(node),
	};
}
