import { createSession, type Tensor, tensor } from '@steelyard/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { broadcastShapes, elementCount, encodeModel, float, GraphBuilder, GraphError, OPSET, type Value } from '../src/index.js';

async function run(g: GraphBuilder, feeds: Record<string, Tensor>): Promise<Record<string, Tensor>> {
	const session = await createSession(encodeModel({ graph: g.build('g'), opset: OPSET }));
	const outputs = await session.run(feeds);
	await session.release();
	return outputs;
}
const counting = (shape: number[], start = 1): Tensor => {
	const size = shape.reduce((a, b) => a * b, 1);
	return tensor(
		'float32',
		shape,
		Array.from({ length: size }, (_, i) => start + i),
	);
};

describe('shapes broadcast', () => {
	it('as ONNX says: from the right, 1 to anything, names to themselves', () => {
		expect(broadcastShapes([2, 3], [3])).toEqual([2, 3]);
		expect(broadcastShapes([2, 1, 3], [4, 1])).toEqual([2, 4, 3]);
		expect(broadcastShapes([], [2])).toEqual([2]);
		expect(broadcastShapes(['batch', 1], ['batch', 4])).toEqual(['batch', 4]);
		expect(broadcastShapes(['batch', 3], [1, 3])).toEqual(['batch', 3]);
		expect(broadcastShapes([0], [1])).toEqual([0]);
	});

	it('or are refused, both named', () => {
		for (const [a, b] of [
			[[2], [3]],
			[['a'], ['b']],
			[['a'], [2]],
			[[2, 3], [2]],
		] as const)
			expect(() => broadcastShapes(a, b)).toThrow(GraphError);
		expect(() => broadcastShapes([2, 3], [4])).toThrow(/\[2,3\] and \[4\] do not broadcast/);
	});
});

describe('a builder', () => {
	it('knows the shapes that ONNX Runtime finds', async () => {
		const g = new GraphBuilder();
		const [a, b, c] = [g.input('a', 'float32', [2, 1, 3]), g.input('b', 'float32', [4, 1]), g.input('c', 'float32', [5, 3])];
		const values: Record<string, Value> = {
			add: g.add(a, b),
			sub: g.sub(b, a),
			mul: g.mul(a, g.scalar(2)),
			div: g.div(a, b),
			scale: g.scale(3, a),
			neg: g.neg(a),
			exp: g.exp(a),
			matMul: g.matMul(a, g.transposed(c)),
			gemm: g.gemm(c, c, null, { transB: true }),
			gemmT: g.gemm(c, c, g.constant('float32', [3], [1, 2, 3]), { transA: true, alpha: 0.5, beta: 2 }),
			transpose: g.transpose(a, [2, 0, 1]),
			reshape: g.reshape(a, [3, 2]),
			sum: g.reduceSum(a, [0, 2]),
			sumFlat: g.reduceSum(a, [0, 2], false),
			mean: g.reduce('ReduceMean', a, [2]),
			sumAll: g.sumAll(a),
			expand: g.expand(a, [7, 2, 4, 3]),
			concat: g.concat([c, c], 0),
			...Object.fromEntries(g.split(c, [1, 4], 0).map((value, i) => [`split${i}`, value])),
		};
		for (const [name, value] of Object.entries(values)) g.output(name, value);
		const outputs = await run(g, { a: counting([2, 1, 3]), b: counting([4, 1]), c: counting([5, 3]) });
		for (const [name, value] of Object.entries(values))
			expect([outputs[name]!.dtype, outputs[name]!.shape], name).toEqual([value.dtype, value.shape]);
		expect([...outputs['sumAll']!.data]).toEqual([21]);
		expect([...outputs['split1']!.data]).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
		// cᵀ·c ∕ 2 + 2·[1, 2, 3]: first element 0.5·(1 + 16 + 49 + 100 + 169) + 2
		expect(outputs['gemmT']!.data[0]).toBe(169.5);
	});

	it('sums back along any broadcast: the sum over sumTo is the sum over all, and its shape the target', async () => {
		const dims = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 });
		await fc.assert(
			fc.asyncProperty(dims, fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }), fc.nat(3), async (shape, ones, cut) => {
				const target = shape.map((dim, axis) => (ones[axis] ? 1 : dim)).slice(Math.min(cut, shape.length));
				const g = new GraphBuilder();
				const summed = g.sumTo(target, g.input('x', 'float32', shape));
				expect(summed.shape).toEqual(target);
				g.output('y', summed);
				const x = counting(shape);
				const { y } = await run(g, { x });
				expect(y!.shape).toEqual(target);
				const total = (data: Tensor['data']) => Array.from(data as Float32Array).reduce((a, b) => a + b, 0);
				expect(total(y!.data)).toBe(total(x.data));
			}),
			{ seed: 1, numRuns: 40 },
		);
	});

	it('sums back the right elements, and adds no node where nothing was broadcast', async () => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', [2, 2, 3]);
		expect(g.sumTo([2, 2, 3], x)).toBe(x);
		g.output('rows', g.sumTo([2, 1], x));
		g.output('columns', g.sumTo([3], x));
		const { rows, columns } = await run(g, { x: counting([2, 2, 3]) });
		expect(rows).toEqual(tensor('float32', [2, 1], [1 + 2 + 3 + 7 + 8 + 9, 4 + 5 + 6 + 10 + 11 + 12]));
		expect(columns).toEqual(tensor('float32', [3], [22, 26, 30]));
	});

	it('adds no node for a reshape to the same shape', () => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', ['batch', 3]);
		expect(g.reshape(x, ['batch', 3])).toBe(x);
	});

	it('gives every value a name of its own, and refuses one that is taken', () => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', [2]);
		const names = [g.exp(x), g.exp(x), g.exp(g.exp(x)), ...g.split(x, [1, 1], 0)].map(({ name }) => name);
		expect(new Set([...names, 'x']).size).toBe(names.length + 1);
		for (const again of [
			() => g.input('x', 'float32', [1]),
			() => g.initializer('x', counting([1])),
			() => g.output('x', g.exp(x)),
			() => g.node('Exp', [x], [x]),
		])
			expect(again).toThrow(/two values have the name "x"/);
	});

	it('does not take a name that was given by hand', () => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', [2]);
		for (let i = 0; i < 8; i++) g.input(`Exp_${i}`, 'float32', [2]);
		const names = [g.exp(x), g.exp(x)].map(({ name }) => name);
		expect(names.filter((name) => /^Exp_[0-7]$/.test(name))).toEqual([]);
	});

	it('keeps equal constants once, and distinguishes type, shape and bits', () => {
		const g = new GraphBuilder();
		expect(g.scalar(1)).toBe(g.scalar(1));
		expect(g.constant('float32', [2], [1, 2])).toBe(g.constant('float32', [2], Float32Array.of(1, 2)));
		expect(g.scalar(Number.NaN)).toBe(g.scalar(Number.NaN));
		const other = [
			g.scalar(1),
			g.scalar(1, 'float64'),
			g.constant('float32', [1], [1]),
			g.constant('float32', [1, 1], [1]),
			g.scalar(0),
			g.scalar(-0),
			g.scalar(Number.NaN),
			g.constant('int64', [], [1]),
			g.constant('uint64', [], [1]),
			g.constant('float32', [2], [1, 2]),
		];
		expect(new Set(other.map(({ name }) => name)).size).toBe(other.length);
		expect(g.build('g').initializers.size).toBe(other.length);
	});

	it('makes a value an output under another name by an Identity, and under its own without', () => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', [2]);
		g.node('Exp', [x], [{ name: 'y', dtype: 'float32', shape: [2] }]);
		g.output('y', g.value('y'));
		g.output('z', g.value('y'));
		const graph = g.build('g');
		expect(graph.nodes.map(({ op }) => op)).toEqual(['Exp', 'Identity']);
		expect(graph.outputs.map(({ name }) => name)).toEqual(['y', 'z']);
	});

	it('writes left-out inputs as empty names and attributes by their kind', () => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', [2]);
		g.op('Clip', [x, null, g.scalar(1)], { whole: 3, list: [1, 2], text: 'a', share: float(0.5), none: [] });
		const node = g.build('g').nodes[0]!;
		expect(node.inputs.slice(0, 2)).toEqual(['x', '']);
		expect(node.attributes).toEqual({
			whole: { type: 'int', value: 3 },
			list: { type: 'ints', value: [1, 2] },
			text: { type: 'string', value: 'a' },
			share: { type: 'float', value: 0.5 },
			none: { type: 'ints', value: [] },
		});
	});

	it('refuses a value that it does not know, by name', () => {
		expect(() => new GraphBuilder().value('ghost')).toThrow(/"ghost"/);
		expect(() => elementCount({ name: 'x', dtype: 'float32', shape: ['batch', 2] })).toThrow(/"x".*"batch"/);
		expect(elementCount({ name: 'x', dtype: 'float32', shape: [3, 2] })).toBe(6);
	});
});

describe('builders put together', () => {
	const square = () => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', [2]);
		g.output('y', g.mul(x, g.scale(1, x)));
		return g.build('square');
	};

	it('go on from a graph, with names under their prefix beside those of the graph', async () => {
		const graph = square();
		const g = GraphBuilder.from(graph, 'more/');
		g.output('z', g.mul(g.value('y'), g.scalar(1)));
		const more = g.build('more');
		expect(more.nodes.slice(0, graph.nodes.length)).toEqual(graph.nodes);
		expect(more.outputs.map(({ name }) => name)).toEqual(['z']);
		const added = more.nodes
			.slice(graph.nodes.length)
			.flatMap(({ outputs }) => outputs)
			.filter((name) => name !== 'z');
		for (const name of added) expect(name).toMatch(/^more\//);
		expect([...(await run(g, { x: tensor('float32', [2], [3, -4]) }))['z']!.data]).toEqual([9, 16]);
	});

	it('go on from a graph under no prefix as well', async () => {
		const g = GraphBuilder.from(square());
		g.output('z', g.scale(1, g.mul(g.value('y'), g.value('y'))));
		expect([...(await run(g, { x: tensor('float32', [2], [1, 2]) }))['z']!.data]).toEqual([1, 16]);
	});

	it('leave the graph as it was', () => {
		const graph = square();
		const before = encodeModel({ graph, opset: OPSET });
		const g = GraphBuilder.from(graph, 'more/');
		g.output('z', g.exp(g.value('y')));
		g.build('more');
		expect(encodeModel({ graph, opset: OPSET })).toEqual(before);
	});

	it('take in a graph whose inputs stand here under their names', async () => {
		const g = new GraphBuilder('outer/');
		const raw = g.input('raw', 'float32', [2]);
		g.node('Neg', [raw], [{ name: 'x', dtype: 'float32', shape: [2] }]);
		g.append(square());
		g.output('out', g.value('y'));
		expect([...(await run(g, { raw: tensor('float32', [2], [3, -4]) }))['out']!.data]).toEqual([9, 16]);
	});

	it('refuse a graph whose names are taken', () => {
		const g = GraphBuilder.from(square(), 'more/');
		expect(() => g.append(square())).toThrow(/two values have the name/);
	});
});
