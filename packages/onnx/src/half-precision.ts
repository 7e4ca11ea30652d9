import { type Tensor, tensor } from '@steelyard/runtime';
import { readAttributes } from './attributes.js';
import { bodiesOf, withBodies, withoutUnused } from './bodies.js';
import { dataTypeOf } from './data-types.js';
import { allValues, type Graph, type Node, type Value } from './graph.js';
import type { Half } from './halves.js';
import { freeNames } from './own-names.js';

/** Operators that move numbers, or give each by the numbers at one place, with kernels for both types in the CUDA provider of ONNX Runtime 1.29 at the working operator set. */
const EITHER = [
	...['Reshape', 'Transpose', 'Squeeze', 'Unsqueeze', 'Flatten', 'Slice', 'Concat', 'Split', 'Gather', 'Expand', 'Tile'],
	...['Add', 'Sub', 'Mul', 'Neg', 'Relu', 'Sigmoid', 'Tanh', 'Where', 'MatMul', 'Gemm'],
];
const OPERATORS: Readonly<Record<Half, ReadonlySet<string>>> = {
	float16: new Set([...EITHER, 'Conv', 'ConvTranspose', 'MaxPool', 'Pad', 'LeakyRelu']),
	bfloat16: new Set(EITHER),
};

/** Sizes between which a constant keeps its meaning in a type. */
const RANGE: Readonly<Record<Half, readonly [least: number, most: number]>> = { float16: [2 ** -14, 65504], bfloat16: [2 ** -126, 3e38] };

/** What is known of a value, also to a body of its graph: whether it is float32, and then the name of the same numbers in the type of 16 bits, null where there is none. */
type Scope = { readonly isFloat: (name: string) => boolean; readonly lowOf: (name: string) => string | null };

/** A HardSigmoid so steep that it gives 0 or 1, which is the derivative of Relu. Its slope is infinite in float16. */
const isStep = (node: Node): boolean => node.op === 'HardSigmoid' && readAttributes(node).float('alpha', 0.2) >= 1e30;

/**
 * A graph with roundings (see `roundedProducts`), and what goes back through it, with products in the type of 16 bits itself instead of float32, and with them whatever else
 * reads nothing but such numbers, small constants and no numbers at all, where a GPU has kernels for it. Norms, softmax, sums and losses stay in float32. Values of
 * the graph keep their names and types, so that one that is needed in float32 is there.
 */
export function inHalfPrecision(graph: Graph, type: Half): Graph {
	const named = freeNames(graph);
	const [least, most] = RANGE[type];
	const isSmall = ({ data }: Tensor): boolean => {
		const size = Math.abs(Number(data[0]));
		return data.length === 1 && (size === 0 || (size >= least && size <= most));
	};

	function change(part: Graph, outside: Scope): Graph {
		const known = allValues(part);
		const nodes: Node[] = [];
		const initializers = new Map(part.initializers);
		const added = new Map<string, Value>();
		/** Of values in float32 the name of the same numbers in the type, and of values in the type the name that is used in their place. */
		const lows = new Map<string, string>();
		const isFloat = (name: string): boolean => (known.has(name) ? known.get(name)?.dtype === 'float32' : outside.isFloat(name));
		const cast = (from: string, to: Value): void => {
			nodes.push({
				name: named(`Cast ${to.name}`),
				op: 'Cast',
				inputs: [from],
				outputs: [to.name],
				attributes: { to: { type: 'int', value: dataTypeOf(to.dtype) } },
			});
		};
		const lowValue = (name: string): Value => {
			const low = { ...(known.get(name) as Value), name: named(`${name}/low`), dtype: type };
			added.set(low.name, low);
			lows.set(name, low.name);
			return low;
		};
		const constantLow = (name: string): string | null => {
			const constant = part.initializers.get(name);
			if (constant === undefined || constant.dtype !== 'float32' || !isSmall(constant)) return null;
			const low = lowValue(name);
			if (type === 'float16') initializers.set(low.name, tensor(type, constant.shape, Array.from(constant.data as Float32Array)));
			else cast(name, low);
			return low.name;
		};
		const lowOf = (name: string): string | null => (known.has(name) ? (lows.get(name) ?? constantLow(name)) : outside.lowOf(name));
		const isLow = (name: string): boolean => known.get(name)?.dtype === type;
		const isConstant = (name: string): boolean => part.initializers.has(name);

		for (const node of part.nodes) {
			const [input = ''] = node.inputs;
			const [output = ''] = node.outputs;
			if (node.op === 'Cast' && isLow(output) && isFloat(input)) {
				const low = isConstant(input) ? null : lowOf(input);
				if (low === null) nodes.push(node);
				lows.set(output, low ?? output);
				continue;
			}
			if (node.op === 'Cast' && isLow(input)) {
				const low = lows.get(input) ?? input;
				nodes.push({ ...node, inputs: [low] });
				if (isFloat(output)) lows.set(output, low);
				continue;
			}
			const floats = node.inputs.filter((name) => name !== '' && isFloat(name));
			const read = floats.filter((name) => !isConstant(name));
			const canBeLow = read.length > 0 && isFloat(output) && read.every((name) => lowOf(name) !== null);
			if (canBeLow && isStep(node)) {
				nodes.push(node);
				cast(output, lowValue(output));
				continue;
			}
			const isHalf =
				canBeLow && OPERATORS[type].has(node.op) && bodiesOf(node).length === 0 && floats.every((name) => lowOf(name) !== null);
			if (!isHalf) {
				nodes.push(withBodies(node, (body) => change(body, { isFloat, lowOf })));
				continue;
			}
			const inputs = node.inputs.map((name) => (floats.includes(name) ? (lowOf(name) as string) : name));
			const outputs = node.outputs.map((name) => (name === '' || !isFloat(name) ? name : lowValue(name).name));
			nodes.push({ ...node, inputs, outputs });
			node.outputs.forEach((name, i) => {
				if (outputs[i] !== name) cast(outputs[i] as string, known.get(name) as Value);
			});
		}
		return { ...part, nodes, initializers, values: new Map([...part.values, ...added]) };
	}
	const changed = change(graph, { isFloat: () => false, lowOf: () => null });
	return { ...changed, nodes: changed.nodes.map((node) => withBodies(node, withoutUnused)) };
}
