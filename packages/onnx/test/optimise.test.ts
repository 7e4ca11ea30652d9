import { createSession, sizeOf, type Tensor, tensor } from '@steelyard/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeModel, float, type Graph, GraphBuilder, graphsWithin, OPSET, optimised, type Value } from '../src/index.js';

/** Uniform numbers over [0, 1), by a linear congruential generator (Numerical Recipes). */
function uniformNumbers(seed: number): () => number {
	let state = seed;
	return () => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return state / 2 ** 32;
	};
}

const outputsOf = async (graph: Graph, feeds: Record<string, Tensor>): Promise<Record<string, Tensor>> => {
	const session = await createSession(encodeModel({ graph, opset: OPSET }));
	try {
		return await session.run(feeds);
	} finally {
		await session.release();
	}
};

const feedsOf = (graph: Graph, uniform: () => number): Record<string, Tensor> =>
	Object.fromEntries(
		graph.inputs.map(({ name, shape }) => [
			name,
			tensor(
				'float32',
				shape as number[],
				Array.from({ length: sizeOf(shape as number[]) }, () => 2 * uniform() - 1),
			),
		]),
	);

/** The largest difference between outputs of the same names, relative to 1 + the number itself; not a number where they differ by name or shape. */
function distance(a: Record<string, Tensor>, b: Record<string, Tensor>): number {
	if (Object.keys(a).join() !== Object.keys(b).join()) return Number.NaN;
	const differences = Object.entries(a).flatMap(([name, { data, shape }]): number[] => {
		const other = b[name] as Tensor;
		if (other.shape.join() !== shape.join()) return [Number.NaN];
		return Array.from(data as Float32Array, (value, i) => Math.abs(value - Number(other.data[i])) / (1 + Math.abs(value)));
	});
	return differences.reduce((most, one) => (Number.isNaN(one) ? one : Math.max(most, one)), 0);
}

const countOf = (graph: Graph, op: string): number =>
	[...graphsWithin(graph)].flatMap(({ nodes }) => nodes).filter((node) => node.op === op).length;

/** A graph of `count` random nodes of those operators that the passes look at, whose values are read by any number of later nodes; several of them are outputs. */
function randomGraph(seed: number, count: number): Graph {
	const uniform = uniformNumbers(seed);
	const below = (n: number): number => Math.floor(uniform() * n);
	const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
	const sizes = (rank: number): number[] => Array.from({ length: rank }, () => 1 + below(4));
	const g = new GraphBuilder();
	const values: Value[] = [2, 2, 3, 4].map((rank, i) => g.input(`x${i}`, 'float32', sizes(rank)));
	const made = new Map<string, Value>();
	const weight = (shape: number[]): Value =>
		g.constant(
			'float32',
			shape,
			Array.from({ length: sizeOf(shape) }, () => 2 * uniform() - 1),
		);
	const shuffled = (rank: number): number[] => {
		const axes = Array.from({ length: rank }, (_, axis) => axis);
		for (let i = rank - 1; i > 0; i--) {
			const j = below(i + 1);
			[axes[i], axes[j]] = [axes[j] as number, axes[i] as number];
		}
		return axes;
	};
	/** An input of a product over `inner`: a weight, a transposed weight or, where one fits, a value. */
	const factor = (batch: readonly number[], rows: number, columns: number): Value => {
		const fitting = values.filter(({ shape }) => shape.join() === [...batch, rows, columns].join());
		if (fitting.length > 0 && uniform() < 0.5) return pick(fitting);
		return uniform() < 0.5 ? g.transposed(weight([...batch, columns, rows])) : weight([...batch, rows, columns]);
	};
	const ways: Array<(x: Value, shape: number[]) => Value> = [
		(x, shape) => g.transpose(x, shuffled(shape.length)),
		(x, shape) => g.transposed(g.transpose(x, shuffled(shape.length))),
		(x, shape) =>
			g.reshape(x, pick([[sizeOf(shape)], [1, sizeOf(shape)], [sizeOf(shape.slice(0, -1)), shape.at(-1) as number], [...shape, 1]])),
		(x, shape) => g.matMul(x, factor(uniform() < 0.5 ? [] : shape.slice(0, -2), shape.at(-1) as number, 1 + below(4))),
		(x, shape) => g.matMul(factor(shape.slice(0, -2), 1 + below(4), shape.at(-2) as number), x),
		(x, shape) => (shape.length === 2 ? g.gemm(x, factor([], shape[0] as number, 1 + below(4)), null, { transA: true, alpha: 0.5 }) : x),
		(x) => g.add(x, pick(values.filter(({ shape }) => shape.join() === x.shape.join()))),
		(x, shape) => g.add(weight(uniform() < 0.7 ? shape.slice(-1) : [1, ...shape.slice(1)]), x),
		(x) => g.scale(pick([0.5, -2]), x),
		(x) => g.div(x, g.scalar(3)),
		(x) => g.op('Tanh', [x]),
	];
	for (let i = 0; i < count; i++) {
		const x = pick(uniform() < 0.6 ? values.slice(-4) : values);
		const shape = x.shape as number[];
		if (shape.length < 2 || shape.length > 5 || sizeOf(shape) > 512) values.push(g.reshape(x, [1, sizeOf(shape)]));
		else values.push(pick(ways)(x, shape));
	}
	for (const value of [values.at(-1) as Value, pick(values), pick(values)]) made.set(value.name, value);
	for (const [name, value] of made) g.output(`out/${name}`, value);
	return g.build('random');
}

describe('optimised', () => {
	for (const fused of [false, true])
		it(`gives the outputs of any graph, within rounding (fused: ${fused})`, async () => {
			await fc.assert(
				fc.asyncProperty(fc.nat(1e6), fc.integer({ min: 4, max: 40 }), async (seed, count) => {
					const graph = randomGraph(seed, count);
					const feeds = feedsOf(graph, uniformNumbers(seed));
					const by = optimised(graph, { fused });
					expect(by.nodes.length).toBeLessThanOrEqual(graph.nodes.length + 4);
					expect(distance(await outputsOf(graph, feeds), await outputsOf(by, feeds))).toBeLessThan(1e-4);
				}),
				{ numRuns: 60, seed: 1 },
			);
		});

	it('has a product transpose and add, where others did that around it', async () => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', [2, 3, 4]);
		const weight = g.input('weight', 'float32', [4, 4]);
		const layer = g.add(g.input('bias', 'float32', [4]), g.matMul(x, g.transposed(weight)));
		g.output('y', g.add(x, layer));
		g.output('gradient', g.transposed(g.gemm(g.reshape(x, [6, 4]), g.reshape(layer, [6, 4]), null, { transA: true })));
		const graph = g.build('layer');
		const by = optimised(graph);
		expect([countOf(by, 'Transpose'), countOf(by, 'MatMul'), countOf(by, 'Gemm')]).toEqual([0, 0, 2]);
		const feeds = feedsOf(graph, uniformNumbers(1));
		expect(distance(await outputsOf(graph, feeds), await outputsOf(by, feeds))).toBeLessThan(1e-5);
	});

	it('tells nodes by their attributes, and a row from what is longer', async () => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', [2, 3, 4]);
		const layer = (name: string): Value => g.matMul(x, g.input(name, 'float32', [4, 3]));
		g.output('row', g.add(layer('a'), g.input('bias', 'float32', [1, 1, 3])));
		g.output('places', g.add(layer('b'), g.input('place', 'float32', [1, 3, 3])));
		g.output('column', g.add(g.input('one', 'float32', [2, 3, 1]), layer('c')));
		for (const perm of [
			[0, 2, 1],
			[2, 1, 0],
		])
			g.output(`turned ${perm}`, g.op('Tanh', [g.transpose(x, perm)]));
		const graph = g.build('told apart');
		const by = optimised(graph);
		expect([countOf(by, 'Add'), countOf(by, 'Transpose')]).toEqual([2, 2]);
		const feeds = feedsOf(graph, uniformNumbers(1));
		expect(distance(await outputsOf(graph, feeds), await outputsOf(by, feeds))).toBeLessThan(1e-5);
	});

	it('uses operators of the runtime’s own only where it may', async () => {
		const g = new GraphBuilder();
		const [q, k] = [g.input('q', 'float32', [2, 3, 4, 5]), g.input('k', 'float32', [2, 4, 3, 5])];
		g.output('scores', g.scale(0.25, g.matMul(g.transpose(q, [0, 2, 1, 3]), g.transpose(k, [0, 1, 3, 2]))));
		const graph = g.build('scores');
		expect(optimised(graph).nodes.map(({ op }) => op)).toEqual(graph.nodes.filter(({ op }) => op !== 'Identity').map(({ op }) => op));
		const by = optimised(graph, { fused: true });
		expect(by.nodes.map(({ op }) => op)).toEqual(['Transpose', 'com.microsoft.FusedMatMul']);
		const feeds = feedsOf(graph, uniformNumbers(1));
		expect(distance(await outputsOf(graph, feeds), await outputsOf(by, feeds))).toBeLessThan(1e-5);
	});

	it('leaves numbers that are drawn, shapes that are computed and what bodies read as they are', async () => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', [2, 3]);
		const draw = (): Value => g.op('RandomUniform', [], { shape: [2, 3] }, { dtype: 'float32', shape: [2, 3] });
		g.output('drawn', g.sub(draw(), draw()));
		const late = g.op('Reshape', [x, g.op('Shape', [x], {}, { dtype: 'int64', shape: [2] })], {}, { shape: [2, 3] });
		g.output('late', g.op('Tanh', [g.reshape(late, [3, 2])]));
		// the branches read a value that another, equal one stands for
		const [one, again] = [g.op('Exp', [x]), g.op('Exp', [x])];
		const branch = (value: Value) => {
			const b = g.nested();
			b.output(`of/${value.name}`, b.op('Neg', [value]));
			return { type: 'graph', value: b.build('branch') } as const;
		};
		const y = g.fresh('y', 'float32', [2, 3]);
		g.node('If', [g.constant('bool', [], [1])], [y], { then_branch: branch(one), else_branch: branch(again) });
		g.output('y', y);
		const graph = g.build('odd');
		const by = optimised(graph);
		expect([countOf(by, 'RandomUniform'), countOf(by, 'Shape'), countOf(by, 'Reshape'), countOf(by, 'Exp')]).toEqual([2, 1, 2, 1]);
		const feeds = feedsOf(graph, uniformNumbers(1));
		const [before, after] = [await outputsOf(graph, feeds), await outputsOf(by, feeds)];
		for (const one of [before, after]) delete one['drawn'];
		expect(distance(before, after)).toBe(0);
	});

	it('keeps factors that a product cannot take up', () => {
		const g = new GraphBuilder();
		const [a, b] = [g.input('a', 'float32', [2, 3, 4]), g.input('b', 'float32', [2, 4, 3])];
		const product = g.matMul(a, b);
		g.output('product', product);
		g.output('scaled', g.scale(0.5, product));
		g.output('odd', g.op('HardSigmoid', [g.mul(a, g.input('factor', 'float32', []))], { alpha: float(0.5) }));
		const by = optimised(g.build('kept'), { fused: true });
		expect([countOf(by, 'MatMul'), countOf(by, 'Mul'), countOf(by, 'com.microsoft.FusedMatMul')]).toEqual([1, 2, 0]);
	});
});
