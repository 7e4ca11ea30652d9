import { canonicalise, encodeModel, GraphBuilder, OPSET, type Value } from '@steelyard/onnx';
import { createSession, tensor } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import { differentiate } from '../src/index.js';

const run = async (g: GraphBuilder, feeds: Record<string, ReturnType<typeof tensor>>) => {
	const session = await createSession(encodeModel({ graph: g.build('test'), opset: OPSET }));
	const outputs = await session.run(feeds);
	await session.release();
	return outputs;
};

describe('differentiate', () => {
	it('adds up the gradients of a value that is used several times', async () => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', [2]);
		g.output('loss', g.sumAll(g.add(g.mul(x, x), g.exp(x)))); // 2x + eˣ
		const { graph, gradients } = differentiate(await canonicalise({ graph: g.build('f'), opset: OPSET }), { loss: 'loss', wrt: ['x'] });
		const backward = GraphBuilder.from(graph, 't/');
		backward.output('dx', gradients.get('x') as Value);
		const { dx } = await run(backward, { x: tensor('float32', [2], [0.5, -1]) });
		expect(dx?.data[0]).toBeCloseTo(1 + Math.exp(0.5), 5);
		expect(dx?.data[1]).toBeCloseTo(-2 + Math.exp(-1), 5);
	});

	it('gives a gradient of a gradient', async () => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', [1]);
		g.output('loss', g.sumAll(g.op('Tanh', [x])));
		const first = differentiate(await canonicalise({ graph: g.build('f'), opset: OPSET }), { loss: 'loss', wrt: ['x'] });
		const h = GraphBuilder.from(first.graph, 's/');
		h.output('slope', h.sumAll(first.gradients.get('x') as Value));
		const second = differentiate(await canonicalise({ graph: h.build('f2'), opset: OPSET }), { loss: 'slope', wrt: ['x'] });
		const b = GraphBuilder.from(second.graph, 't/');
		b.output('curvature', second.gradients.get('x') as Value);
		const { curvature } = await run(b, { x: tensor('float32', [1], [0.3]) });
		const t = Math.tanh(0.3);
		expect(curvature?.data[0]).toBeCloseTo(-2 * t * (1 - t * t), 5);
	});

	it.each([
		['float16', 2 ** -10],
		['bfloat16', 2 ** -7],
	] as const)('rounds the gradient where the values of a graph are rounded to %s and back', async (type, step) => {
		const g = new GraphBuilder();
		const [x, c] = [g.input('x', 'float32', [2]), g.input('c', 'float32', [2])];
		g.output('loss', g.sumAll(g.mul(g.cast(g.cast(x, type), 'float32'), c)));
		const { graph, gradients } = differentiate(g.build('f'), { loss: 'loss', wrt: ['x', 'c'] });
		const backward = GraphBuilder.from(graph, 't/');
		for (const name of ['x', 'c']) backward.output(`d${name}`, gradients.get(name) as Value);
		const { dx, dc } = await run(backward, {
			x: tensor('float32', [2], [1 + 0.6 * step, 2]),
			c: tensor('float32', [2], [1 + 0.4 * step, -3 - 1.2 * step]),
		});
		expect(Array.from(dx?.data as Float32Array)).toEqual([1, -3 - 2 * step]);
		expect(Array.from(dc?.data as Float32Array)).toEqual([1 + step, 2]);
	});

	it('gives zeros for a value that the loss does not depend on', async () => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', [1]);
		g.input('unused', 'float32', [2]);
		g.output('loss', g.sumAll(x));
		const graph = await canonicalise({ graph: g.build('f'), opset: OPSET });
		const { gradients } = differentiate(graph, { loss: 'loss', wrt: ['x', 'unused'] });
		expect(gradients.get('unused')?.shape).toEqual([2]);
	});

	it('refuses an operator without a rule, naming node, operator and path', async () => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', [1, 1, 4, 4]);
		const regions = g.constant('float32', [1, 5], [0, 0, 0, 3, 3]);
		g.output('loss', g.sumAll(g.op('Tanh', [g.op('MaxRoiPool', [x, regions], { pooled_shape: [2, 2] }, { shape: [1, 1, 2, 2] })])));
		const graph = await canonicalise({ graph: g.build('f'), opset: OPSET });
		expect(() => differentiate(graph, { loss: 'loss', wrt: ['x'] })).toThrow(/operator MaxRoiPool of node "MaxRoiPool.*MaxRoiPool → Tanh/);
	});

	it('refuses a loss that is not a scalar', async () => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', [2]);
		g.output('loss', g.exp(x));
		const graph = await canonicalise({ graph: g.build('f'), opset: OPSET });
		expect(() => differentiate(graph, { loss: 'loss', wrt: ['x'] })).toThrow(/shape \[2\], expected a scalar/);
	});

	it('goes through a Split whose sizes are computed: parts may be empty, and an unused index hands nothing on', async () => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', [4]);
		const [values, order] = [g.fresh('values', 'float32', [4]), g.fresh('order', 'int64', [4])];
		g.node('TopK', [x, g.ints([4])], [values, order], { axis: 0 });
		const positive = g.cast(g.op('Greater', [x, g.scalar(0)], {}, { dtype: 'bool', shape: [4] }), 'int64');
		const count = g.reduceSum(positive, [0]);
		const parts = g.splitBy(values, g.concat([count, g.sub(g.ints([4]), count)], 0), ['high', 'low'], 0);
		const joined = g.op('Concat', [g.exp(parts[0]!), g.mul(parts[1]!, parts[1]!)], { axis: 0 }, { shape: [4] });
		g.output('loss', g.add(g.sumAll(joined), g.sumAll(g.cast(order, 'float32'))));
		const graph = await canonicalise({ graph: g.build('f'), opset: OPSET }, { runTimeSizes: true });
		const { graph: whole, gradients } = differentiate(graph, { loss: 'loss', wrt: ['x'] });
		const backward = GraphBuilder.from(whole, 't/');
		backward.output('dx', gradients.get('x') as Value);
		for (const x of [
			[1, -2, 0.5, -0.1],
			[1, 2, 3, 0.25],
			[-1, -2, -3, -4],
		]) {
			const { dx } = await run(backward, { x: tensor('float32', [4], x) });
			x.forEach((value, i) => expect(dx?.data[i]).toBeCloseTo(value > 0 ? Math.exp(value) : 2 * value, 4));
		}
	});
});
