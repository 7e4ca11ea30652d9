import { createSession, tensor } from '@steelyard/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Attributes, encodeModel, type Graph, GraphBuilder, OPSET, winogradConvolutions } from '../src/index.js';

type Sizes = { batch: number; from: number; to: number; rows: number; columns: number; pads: number[]; bias: boolean };

function convolution(
	{ batch, from, to, rows, columns, pads, bias }: Sizes,
	{ places = 3, ...attributes }: { places?: number } & Attributes = {},
): Graph {
	const g = new GraphBuilder();
	const shapes = [[batch, from, rows, columns], [to, from, places, places], ...(bias ? [[to]] : [])];
	const [top, left, bottom, right] = pads as [number, number, number, number];
	const shape = [batch, to, rows + top + bottom - 2, columns + left + right - 2];
	const y = g.op(
		'Conv',
		shapes.map((of, i) => g.input(`x${i}`, 'float32', of)),
		{ pads, ...attributes },
		{ shape },
	);
	g.output('y', g.op('Tanh', [y]));
	return g.build('convolution');
}

async function run(graph: Graph): Promise<Float32Array> {
	const session = await createSession(encodeModel({ graph, opset: OPSET }));
	const feeds = Object.fromEntries(
		graph.inputs.map(({ name, shape }) => {
			const count = (shape as number[]).reduce((all, size) => all * size, 1);
			const most = name === 'x1' ? 0.05 : 0.5;
			return [
				name,
				tensor(
					'float32',
					shape as number[],
					Float32Array.from({ length: count }, (_, i) => most * Math.sin(i * i)),
				),
			];
		}),
	);
	const { y } = await session.run(feeds);
	await session.release();
	return y?.data as Float32Array;
}

const wide = { batch: 2, from: 64, to: 64, rows: 24, columns: 24, pads: [1, 1, 1, 1], bias: false };

describe('convolutions by the algorithm of Winograd', () => {
	it('give what Conv gives, but for rounding', async () => {
		const pad = fc.integer({ min: 0, max: 2 });
		const sizes = fc.record({
			batch: fc.integer({ min: 3, max: 5 }),
			from: fc.integer({ min: 60, max: 70 }),
			to: fc.integer({ min: 60, max: 70 }),
			rows: fc.integer({ min: 15, max: 21 }),
			columns: fc.integer({ min: 15, max: 21 }),
			pads: fc.tuple(pad, pad, pad, pad),
			bias: fc.boolean(),
		});
		await fc.assert(
			fc.asyncProperty(sizes, async (each) => {
				const graph = convolution(each);
				const fast = winogradConvolutions(graph);
				expect(fast.nodes.map(({ op }) => op)).not.toContain('Conv');
				const [expected, found] = [await run(graph), await run(fast)];
				expect(found.length).toBe(expected.length);
				const most = expected.reduce((worst, value, i) => Math.max(worst, Math.abs(value - (found[i] as number))), 0);
				// results are about 1; the transforms multiply rounding by about 20
				expect(most).toBeLessThan(5e-5);
			}),
			{ numRuns: 12, seed: 1 },
		);
	});

	it.each<[string, Partial<Sizes>, { places?: number } & Attributes]>([
		['a stride', {}, { strides: [2, 2] }],
		['a dilation', {}, { dilations: [1, 2] }],
		['groups', {}, { group: 2 }],
		['kernels of 5×5', {}, { places: 5 }],
		['padding that follows from sizes', {}, { auto_pad: 'SAME_UPPER' }],
		['few channels', { from: 3 }, {}],
		['few results', { rows: 3, columns: 3 }, {}],
	])('stay Conv with %s', (_, sizes, attributes) => {
		const graph = convolution({ ...wide, ...sizes }, attributes);
		expect(winogradConvolutions(graph).nodes).toEqual(graph.nodes);
	});
});
