import { encodeModel, type Graph, GraphBuilder, OPSET, poolBeforeRelu, type Value, winogradConvolutions } from '@steelyard/onnx';
import { counterRandom } from '@steelyard/random';
import { createSession, sizeOf, type Tensor, tensor } from '@steelyard/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differentiate } from '../src/index.js';

type Feeds = Record<string, Tensor>;

async function run(graph: Graph, feeds: Feeds): Promise<Feeds> {
	const session = await createSession(encodeModel({ graph, opset: OPSET }));
	const outputs = await session.run(feeds);
	await session.release();
	return outputs;
}

/** The gradients of `loss` by the inputs named. */
async function gradientsOf(graph: Graph, wrt: readonly string[], feeds: Feeds): Promise<Feeds> {
	const { graph: passes, gradients } = differentiate(graph, { loss: 'loss', wrt });
	const g = GraphBuilder.from(passes, 'test/');
	for (const name of wrt) g.output(`d${name}`, gradients.get(name) as Value);
	return run(g.build('backward'), feeds);
}

const random = counterRandom(1, 'convolve.test');
const drawn = (shape: readonly number[]): Tensor =>
	tensor(
		'float32',
		shape,
		Array.from({ length: sizeOf(shape) }, () => random.uniform() - 0.5),
	);
const dot = (a: Tensor, b: Tensor): number =>
	(a.data as Float32Array).reduce((sum, value, i) => sum + value * ((b.data as Float32Array)[i] as number), 0);
const lengthOf = (a: Tensor): number => Math.sqrt(dot(a, a));

type Use = {
	op?: 'Conv' | 'ConvTranspose';
	x: number[];
	kernel: number[];
	y: number[];
	attributes?: Parameters<GraphBuilder['op']>[2];
	change?: (graph: Graph) => Graph;
};

/** Σ r·y is linear in x and in the kernel: its derivative along any direction is its value there. Gives the largest relative difference. */
async function errorOf({ op = 'Conv', x, kernel, y, attributes = {}, change = (graph) => graph }: Use): Promise<number> {
	const g = new GraphBuilder();
	const inputs = [g.input('x', 'float32', x), g.input('w', 'float32', kernel)];
	g.output('loss', g.sumAll(g.mul(g.op(op, inputs, attributes, { shape: y }), g.input('r', 'float32', y))));
	const graph = g.build('convolution');
	const feeds = { x: drawn(x), w: drawn(kernel), r: drawn(y) };
	const gradients = await gradientsOf(change(graph), ['x', 'w'], feeds);
	const errors = [];
	for (const name of ['x', 'w'] as const) {
		const direction = drawn(feeds[name].shape);
		const { loss } = await run(graph, { ...feeds, [name]: direction });
		const gradient = gradients[`d${name}`] as Tensor;
		errors.push(Math.abs(dot(gradient, direction) - Number(loss?.data[0])) / (lengthOf(gradient) * lengthOf(direction)));
	}
	return Math.max(...errors);
}

describe('gradients of a convolution', () => {
	it.each<[string, Use]>([
		['few channels', { x: [4, 3, 9, 8], kernel: [5, 3, 3, 3], y: [4, 5, 9, 8], attributes: { pads: [1, 1, 1, 1] } }],
		['many channels at few places', { x: [3, 64, 4, 4], kernel: [66, 64, 3, 3], y: [3, 66, 4, 4], attributes: { pads: [1, 1, 1, 1] } }],
		[
			'the same with strides',
			{ x: [3, 64, 7, 8], kernel: [65, 64, 3, 3], y: [3, 65, 3, 4], attributes: { strides: [2, 2], pads: [0, 1, 0, 1] } },
		],
		[
			'the same backwards',
			{
				op: 'ConvTranspose',
				x: [3, 64, 3, 4],
				kernel: [64, 65, 3, 2],
				y: [3, 65, 7, 5],
				attributes: { strides: [2, 1], dilations: [1, 1] },
			},
		],
		[
			'so many numbers that they are multiplied in parts',
			{ x: [2, 64, 64, 64], kernel: [2, 64, 3, 3], y: [2, 2, 64, 64], attributes: { pads: [1, 1, 1, 1] } },
		],
		['three axes', { x: [2, 3, 5, 4, 6], kernel: [4, 3, 2, 3, 2], y: [2, 4, 4, 2, 3], attributes: { strides: [1, 1, 2] } }],
		['more numbers in the kernel than places', { x: [2, 8, 3, 3], kernel: [40, 8, 3, 3], y: [2, 40, 1, 1] }],
		[
			"Winograd's algorithm",
			{
				x: [4, 64, 15, 18],
				kernel: [60, 64, 3, 3],
				y: [4, 60, 16, 17],
				attributes: { pads: [1, 0, 2, 1] },
				change: winogradConvolutions,
			},
		],
	])('of %s are those of its definition', async (_, use) => {
		expect(await errorOf(use)).toBeLessThan(2e-6);
	});
});

describe('the gradient of MaxPool over windows side by side', () => {
	it('goes to the first of equals', async () => {
		const size = fc.integer({ min: 1, max: 3 });
		const axes = fc.array(fc.tuple(size, size, fc.integer({ min: 0, max: 2 })), { minLength: 1, maxLength: 3 });
		await fc.assert(
			fc.asyncProperty(axes, fc.infiniteStream(fc.integer({ min: -1, max: 1 })), async (each, numbers) => {
				const kernel = each.map(([window]) => window);
				// behind the last window as many elements as are too few for another
				const sizes = each.map(([window, count, rest]) => window * count + Math.min(rest, window - 1));
				const [x, y] = [
					[2, 2, ...sizes],
					[2, 2, ...each.map(([, count]) => count)],
				];
				const g = new GraphBuilder();
				const pooled = g.op('MaxPool', [g.input('x', 'float32', x)], { kernel_shape: kernel, strides: kernel }, { shape: y });
				g.output('loss', g.sumAll(g.mul(pooled, g.input('r', 'float32', y))));
				const feeds = { x: tensor('float32', x, [...numbers.take(sizeOf(x))]), r: drawn(y) };
				const { dx } = await gradientsOf(g.build('pool'), ['x'], feeds);
				// by the definition: the first greatest element of each window, its elements in the order of memory
				const expected = new Float32Array(sizeOf(x));
				const place = (at: readonly number[], of: readonly number[]): number =>
					at.reduce((all, index, i) => all * (of[i] as number) + index, 0);
				const grid = (of: readonly number[]): number[][] =>
					of.reduce<number[][]>((all, count) => all.flatMap((at) => Array.from({ length: count }, (_, i) => [...at, i])), [[]]);
				for (const at of grid(y)) {
					const elements = grid(kernel).map((k) =>
						place([...at.slice(0, 2), ...k.map((offset, i) => (at[i + 2] as number) * (kernel[i] as number) + offset)], x),
					);
					const values = elements.map((element) => feeds.x.data[element] as number);
					expected[elements[values.indexOf(Math.max(...values))] as number] = feeds.r.data[place(at, y)] as number;
				}
				// −0 counts as 0
				expect(Array.from(dx?.data as Float32Array, (value) => value + 0)).toEqual(Array.from(expected));
			}),
			{ numRuns: 40, seed: 1 },
		);
	});
});

describe('MaxPool before Relu', () => {
	it('gives the results and gradients of Relu before MaxPool in every bit', async () => {
		const window = fc.record({
			kernel: fc.integer({ min: 1, max: 3 }),
			stride: fc.integer({ min: 1, max: 3 }),
			pad: fc.integer({ min: 0, max: 1 }),
		});
		await fc.assert(
			fc.asyncProperty(window, fc.infiniteStream(fc.integer({ min: -2, max: 2 })), async ({ kernel, stride, pad }, numbers) => {
				const [edge, size] = [Math.min(pad, kernel - 1), 7];
				const length = Math.floor((size + 2 * edge - kernel) / stride) + 1;
				const [x, y] = [
					[1, 2, size, size],
					[1, 2, length, length],
				];
				const g = new GraphBuilder();
				const attributes = { kernel_shape: [kernel, kernel], strides: [stride, stride], pads: [edge, edge, edge, edge] };
				const pooled = g.op('MaxPool', [g.op('Relu', [g.input('x', 'float32', x)])], attributes, { shape: y });
				g.output('loss', g.sumAll(g.mul(pooled, g.input('r', 'float32', y))));
				const graph = g.build('pool');
				const first = poolBeforeRelu(graph);
				expect(first.nodes.map(({ op }) => op).slice(0, 2)).toEqual(['MaxPool', 'Relu']);
				const feeds = { x: tensor('float32', x, [...numbers.take(sizeOf(x))]), r: drawn(y) };
				const [before, after] = [await gradientsOf(graph, ['x'], feeds), await gradientsOf(first, ['x'], feeds)];
				expect(Array.from(after['dx']?.data as Float32Array, (value) => value + 0)).toEqual(
					Array.from(before['dx']?.data as Float32Array, (value) => value + 0),
				);
				expect(await run(first, feeds)).toEqual(await run(graph, feeds));
			}),
			{ numRuns: 15, seed: 1 },
		);
	});

	it('is left where something else reads what Relu gives', () => {
		const g = new GraphBuilder();
		const rectified = g.op('Relu', [g.input('x', 'float32', [1, 1, 4, 4])]);
		const pooled = g.op('MaxPool', [rectified], { kernel_shape: [2, 2], strides: [2, 2] }, { shape: [1, 1, 2, 2] });
		g.output('y', g.add(g.sumAll(pooled), g.sumAll(rectified)));
		const graph = g.build('both');
		expect(poolBeforeRelu(graph).nodes).toEqual(graph.nodes);
	});
});
