import { canonicalise, encodeModel, GraphBuilder, OPSET, type Value } from '@steelyard/onnx';
import { createSession, tensor } from '@steelyard/runtime';
import { expect, it } from 'vitest';
import { differentiate } from '../src/index.js';
import { gradientError } from './gradient-check.js';

const differentiated = async (build: (g: GraphBuilder, x: Value) => Value) => {
	const g = new GraphBuilder();
	g.output('loss', g.sumAll(build(g, g.input('x', 'float64', [3, 4]))));
	return differentiate(await canonicalise({ graph: g.build('f'), opset: OPSET }), { loss: 'loss', wrt: ['x'] });
};

it('a scatter with an unknown reduction is refused by name', () => {
	const g = new GraphBuilder();
	const x = g.input('x', 'float64', [3, 4]);
	const inputs = [x, g.constant('int64', [1, 1], [0]), g.constant('float64', [1, 4], [1, 2, 3, 4])];
	g.output('loss', g.sumAll(g.op('ScatterND', inputs, { reduction: 'median' })));
	expect(() => differentiate(g.build('f'), { loss: 'loss', wrt: ['x'] })).toThrow(
		/ScatterND.*reduction "median", expected one of none, add/,
	);
});

it('padding of an unknown mode is refused by name', () => {
	const g = new GraphBuilder();
	const x = g.input('x', 'float64', [3, 4]);
	g.output('loss', g.sumAll(g.op('Pad', [x, g.ints([0, 1, 0, 1])], { mode: 'mirror' }, { shape: [3, 6] })));
	expect(() => differentiate(g.build('f'), { loss: 'loss', wrt: ['x'] })).toThrow(/Pad.*mode "mirror", expected constant, edge/);
});

/** The order that sorts x `[n]`, or that of its `count` smallest. */
function orderOf(g: GraphBuilder, x: Value, count = x.shape[0] as number): Value {
	const [values, order] = [g.fresh('sorted', x.dtype, [count]), g.fresh('order', 'int64', [count])];
	g.node('TopK', [x, g.ints([count])], [values, order], { axis: 0, largest: 0 });
	return order;
}

it('the gradient of a Gather by a permutation is a Gather by its inverse', async () => {
	const sorting = (count: number) => (g: GraphBuilder, x: Value) => {
		const keys = g.reshape(g.op('Slice', [x, g.ints([0]), g.ints([1]), g.ints([1])], {}, { shape: [3, 1] }), [3]);
		const order = orderOf(g, keys, count);
		const rows = (of: Value, by: Value): Value => g.op('Gather', [of, by], { axis: 0 }, { shape: [count, 4] });
		const sorted = g.mul(rows(x, order), g.constant('float64', [count, 1], [2, 3, 5].slice(0, count)));
		// the order that sorts an order is its inverse
		return count < 3 ? sorted : g.mul(rows(sorted, orderOf(g, order)), x);
	};
	for (const [count, scatters] of [
		[3, 0],
		[2, 1],
	] as const) {
		const { graph } = await differentiated(sorting(count));
		expect(graph.nodes.filter(({ op }) => op === 'ScatterElements')).toHaveLength(scatters);
		for (const seed of [1, 2])
			expect(await gradientError({ shapes: [[3, 4]], build: (g, [x]) => sorting(count)(g, x as Value) }, seed)).toBeLessThanOrEqual(1);
	}
});

it('gradients of indexing operators have gradients themselves', async () => {
	const first = await differentiated((g, x) => {
		const rows = g.op('Gather', [g.mul(x, x), g.ints([2, 0, 2])], { axis: 0 }, { shape: [3, 4] });
		const part = g.op('Slice', [rows, g.ints([-1]), g.ints([-99]), g.ints([1]), g.ints([-2])], {}, { shape: [3, 2] });
		return g.op('Einsum', [part, part], { equation: 'ij,kj->ik' }, { shape: [3, 3] });
	});
	const g = GraphBuilder.from(first.graph, 'second/');
	g.output('slope', g.sumAll(first.gradients.get('x') as Value));
	const graph = await canonicalise({ graph: g.build('slope'), opset: OPSET });
	const second = differentiate(graph, { loss: 'slope', wrt: ['x'] });
	const h = GraphBuilder.from(second.graph, 'test/');
	h.output('curvature', second.gradients.get('x') as Value);
	const session = await createSession(encodeModel({ graph: h.build('test'), opset: OPSET }));
	const x = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
	const { curvature } = await session.run({ x: tensor('float64', [3, 4], x) });
	await session.release();
	// f = Σ_j s_j², s_j = x_0j² + 2·x_2j², j = 1 and 3; g = Σ ∂f/∂x = Σ_j 4·s_j·(x_0j + 2·x_2j)
	const expected = x.map((value, i) => {
		const [row, j] = [Math.floor(i / 4), i % 4];
		if (row === 1 || j % 2 === 0) return 0;
		const [p, q] = [x[j] as number, x[8 + j] as number];
		const [times, s] = [row === 0 ? 1 : 2, p * p + 2 * q * q];
		return 4 * times * (2 * value * (p + 2 * q) + s);
	});
	expect(Array.from(curvature?.data as Float64Array)).toEqual(expected.map((value) => expect.closeTo(value, 6)));
});
