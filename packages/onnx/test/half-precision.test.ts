import { createSession, type Tensor, tensor } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import {
	allValues,
	bodiesOf,
	encodeModel,
	float,
	type Graph,
	GraphBuilder,
	graphsWithin,
	inHalfPrecision,
	OPSET,
	roundedProducts,
	type Value,
	withoutUnused,
} from '../src/index.js';

async function run(graph: Graph, feeds: Record<string, Tensor>): Promise<number[]> {
	const session = await createSession(encodeModel({ graph, opset: OPSET }));
	const { y } = await session.run(feeds);
	await session.release();
	return Array.from(y!.data as Float32Array);
}
const row = (values: number[]): Tensor => tensor('float32', [1, values.length], values);
const column = (values: number[]): Tensor => tensor('float32', [values.length, 1], values);

/** What gives the floating values of a graph and of its bodies, by type. */
function operatorsOf(graph: Graph): Record<string, string[]> {
	const found: Record<string, string[]> = {};
	for (const part of graphsWithin(graph)) {
		const known = allValues(part);
		for (const node of part.nodes) {
			const { dtype = '' } = known.get(node.outputs[0] as string) ?? {};
			if (node.op !== 'Cast' && bodiesOf(node).length === 0) found[dtype] = [...(found[dtype] ?? []), node.op];
		}
	}
	return found;
}

/** y = x·w, x `[1, 4]` and w `[4, 1]`, and a bias where it is given. */
function product(bias?: number[]): Graph {
	const g = new GraphBuilder();
	const y = g.matMul(g.input('x', 'float32', [1, 4]), g.input('w', 'float32', [4, 1]));
	g.output('y', bias === undefined ? y : g.add(y, g.initializer('b', tensor('float32', [1], bias))));
	return g.build('product');
}
const ones = [1, 1, 1, 1];

// u is the distance from 1 to the next larger number
describe.each([
	['float16', 2 ** -10],
	['bfloat16', 2 ** -7],
] as const)('a product rounded to %s', (type, u) => {
	const of = (x: number[], w: number[], bias?: number[]) => run(roundedProducts(product(bias), type), { x: row(x), w: column(w) });

	it('reads rounded numbers', async () => {
		expect(await of([1 + 0.4 * u, 0, 0, 0], [3, 0, 0, 0])).toEqual([3]);
		expect(await of([3, 0, 0, 0], [1 + 0.6 * u, 0, 0, 0])).toEqual([3 + 4 * u]);
	});

	it('is a sum in float32, and then rounded', async () => {
		expect(await of([1, u / 4, u / 4, u / 4], ones)).toEqual([1 + u]);
		expect(await of([1, u / 4, u / 4, 0], ones)).toEqual([1]);
	});

	it('is rounded again behind a bias', async () => {
		expect(await of([1, 0, 0, 0], ones, [0.75 * u])).toEqual([1 + u]);
		expect(await of([1, 0, 0, 0], ones, [3 + u])).toEqual([4]);
	});

	it('stays as it is where it reads what is exact', async () => {
		const graph = roundedProducts(product([0]), type, new Set(['w']));
		expect(await run(graph, { x: row([1 + u / 4, 0, 0, 0]), w: column(ones) })).toEqual([1 + u / 4]);
	});
});

/** y = relu(x·w)·w, step by step in a Scan over the rows of x `[3, 1, 2]`, by a w `[2, 2]` of the graph around it. */
function scanned(): Graph {
	const g = new GraphBuilder();
	const [x, w] = [g.input('x', 'float32', [3, 1, 2]), g.input('w', 'float32', [2, 2])];
	const b = g.nested();
	const read = b.input(b.fresh('in', 'float32', [1, 2]).name, 'float32', [1, 2]);
	b.output(b.fresh('out', 'float32', [1, 2]).name, b.matMul(b.op('Relu', [b.matMul(read, w)]), w));
	const y = g.fresh('y', 'float32', [3, 1, 2]);
	g.node('Scan', [x], [y], { body: { type: 'graph', value: b.build('body') }, num_scan_inputs: 1 });
	g.output('y', y);
	return g.build('scanned');
}

describe('a body', () => {
	it('reads what it captures as it was rounded once, outside of it', () => {
		const { nodes } = roundedProducts(scanned(), 'float16');
		expect(nodes.map(({ op }) => op)).toEqual(['Cast', 'Cast', 'Scan', 'Identity']);
		const [, rounded, scan] = nodes;
		const [[, body]] = bodiesOf(scan!) as [[string, Graph]];
		const products = body.nodes.filter(({ op }) => op === 'MatMul');
		expect(products.map(({ inputs }) => inputs[1])).toEqual([rounded!.outputs[0], rounded!.outputs[0]]);
	});

	it('has its products in the type itself, and gives the same numbers', async () => {
		const wide = roundedProducts(scanned(), 'float16');
		const half = inHalfPrecision(wide, 'float16');
		expect(operatorsOf(wide)['float16']).toBeUndefined();
		expect(operatorsOf(half)['float16']).toEqual(['MatMul', 'Relu', 'MatMul']);
		const feeds = { x: tensor('float32', [3, 1, 2], [1, 2, -3, 4, 0.1, 0.2]), w: tensor('float32', [2, 2], [1, -0.3, 0.7, 2]) };
		const [expected, found] = [await run(wide, feeds), await run(half, feeds)];
		found.forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(2 ** -9 * Math.abs(expected[i]!)));
	});
});

describe('half precision', () => {
	/** What `add` makes of h = x·w, all with roundings, in the type itself. */
	function operatorsBehind(add: (g: GraphBuilder, h: Value) => Value, type: 'float16' | 'bfloat16') {
		const g = new GraphBuilder();
		const h = g.matMul(g.input('x', 'float32', [2, 3]), g.input('w', 'float32', [3, 3]));
		g.output('y', add(g, h));
		const graph = withoutUnused(inHalfPrecision(roundedProducts(g.build('g'), type), type));
		expect(graph.outputs.map(({ dtype }) => dtype)).toEqual(['float32']);
		return operatorsOf(graph)[type] ?? [];
	}

	it('goes on through what moves numbers and adds and multiplies them, to the next product', () => {
		const chain = (g: GraphBuilder, h: Value) => g.matMul(g.transposed(g.add(g.scale(0.5, h), g.op('Tanh', [h]))), h);
		for (const type of ['float16', 'bfloat16'] as const)
			expect(operatorsBehind(chain, type)).toEqual(['MatMul', 'Mul', 'Tanh', 'Add', 'Transpose', 'MatMul']);
	});

	it('ends at sums, exponentials, norms and numbers that are no results of products', () => {
		for (const op of ['Exp', 'Softmax', 'Softplus', 'Sqrt', 'Erf'])
			expect(operatorsBehind((g, h) => g.op(op, [h]), 'float16')).toEqual(['MatMul']);
		expect(operatorsBehind((g, h) => g.sumAll(h), 'float16')).toEqual(['MatMul']);
		expect(operatorsBehind((g, h) => g.add(h, g.value('x')), 'float16')).toEqual(['MatMul']);
	});

	it('keeps in float32 what a constant makes too large for the type', () => {
		expect(operatorsBehind((g, h) => g.add(h, g.scalar(-1e9)), 'float16')).toEqual(['MatMul']);
		expect(operatorsBehind((g, h) => g.add(h, g.scalar(-1e9)), 'bfloat16')).toEqual(['MatMul', 'Add']);
		expect(operatorsBehind((g, h) => g.scale(1e-12, h), 'float16')).toEqual(['MatMul']);
	});

	it('takes the derivative of Relu in float32, and goes on in the type', () => {
		const slope = (g: GraphBuilder, h: Value) => g.mul(h, g.op('HardSigmoid', [h], { alpha: float(1e30), beta: float(0) }));
		expect(operatorsBehind(slope, 'float16')).toEqual(['MatMul', 'Mul']);
		expect(operatorsBehind((g, h) => g.mul(h, g.op('HardSigmoid', [h])), 'float16')).toEqual(['MatMul']);
	});
});
