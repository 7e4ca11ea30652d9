import { withBodies } from './bodies.js';
import { dataTypeOf } from './data-types.js';
import { allValues, type Graph, type Node, type Value } from './graph.js';
import type { Half } from './halves.js';
import { freeNames } from './own-names.js';
import { PRODUCTS } from './products.js';

/** Gives the name of a value of the graph around a body that is rounded, and has it rounded there; null where there is no such float32 value. */
type Outside = (name: string) => string | null;

/**
 * A canonical graph whose products (MatMul, Gemm, Conv, ConvTranspose, Einsum) are those of a type of 16 bits, as tensor cores and autocast of PyTorch compute them:
 * what they read is rounded to the type, the sums are formed in float32, and the results are rounded, also behind the Add of a vector, which is a bias. Everything else stays as it is, and so do products that read a
 * value of `exact` directly. Values keep the type float32: a rounding is a Cast and a Cast back, so that it runs on any device, and `differentiate` rounds what goes
 * back through a product as well. A value that a body captures is rounded once, outside of it.
 */
export function roundedProducts(graph: Graph, type: Half, exact: ReadonlySet<string> = new Set()): Graph {
	const named = freeNames(graph);

	function change(part: Graph, outside: Outside): Graph {
		const known = allValues(part);
		const nodes: Node[] = [];
		const added = new Map<string, Value>();
		const roundedNames = new Map<string, string>();
		const isFloat = (name: string): boolean => known.get(name)?.dtype === 'float32';
		const cast = (from: Value, to: Value): void => {
			added.set(to.name, to);
			nodes.push({
				name: named(`Cast ${to.name}`),
				op: 'Cast',
				inputs: [from.name],
				outputs: [to.name],
				attributes: { to: { type: 'int', value: dataTypeOf(to.dtype) } },
			});
		};
		/** Rounds `from` into the value `to`. */
		const round = (from: Value, to: Value): void => {
			const low = { ...from, name: named(`${to.name}/${type}`), dtype: type };
			cast(from, low);
			cast(low, to);
			roundedNames.set(to.name, to.name);
		};
		const roundedName = (name: string): string | null => {
			const value = known.get(name);
			if (value === undefined) return outside(name);
			if (value.dtype !== 'float32') return null;
			const before = roundedNames.get(name);
			if (before !== undefined) return before;
			const rounded = { ...value, name: named(`${name}/rounded`) };
			round(value, rounded);
			roundedNames.set(name, rounded.name);
			return rounded.name;
		};
		const products = new Set<string>();
		const isVector = (name: string): boolean => known.get(name)?.dtype === 'float32' && known.get(name)?.shape.length === 1;
		const isBiased = ({ op, inputs: [a = '', b = ''] }: Node): boolean =>
			op === 'Add' && ((products.has(a) && isVector(b)) || (products.has(b) && isVector(a)));
		for (const node of part.nodes) {
			const [output = ''] = node.outputs;
			const isProduct = PRODUCTS.has(node.op) && isFloat(output) && !node.inputs.some((name) => exact.has(name));
			if (isProduct) products.add(output);
			if (!isProduct && !isBiased(node)) {
				nodes.push(withBodies(node, (body) => change(body, roundedName)));
				continue;
			}
			const result = known.get(output) as Value;
			const sum = { ...result, name: named(`${output}/sum`) };
			added.set(sum.name, sum);
			nodes.push({ ...node, inputs: node.inputs.map((name) => (name === '' ? name : (roundedName(name) ?? name))), outputs: [sum.name] });
			round(sum, result);
		}
		return { ...part, nodes, values: new Map([...part.values, ...added]) };
	}
	return change(graph, () => null);
}
