import { createSession, sizeOf, type Tensor, tensor } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import {
	canonicalise,
	encodeModel,
	float,
	type Graph,
	GraphBuilder,
	graphsWithin,
	OPSET,
	type Value,
	withCudaForms,
} from '../src/index.js';

/** Numbers from `low` to `high` in no order. */
const drawn = (shape: readonly number[], low = -2, high = 2): Tensor =>
	tensor(
		'float32',
		shape,
		Float32Array.from({ length: sizeOf(shape) }, (_, i) => low + (high - low) * ((0.1 + 0.618034 * i) % 1)),
	);

async function run(graph: Graph, feeds: Record<string, Tensor>): Promise<Record<string, Tensor>> {
	const session = await createSession(encodeModel({ graph, opset: OPSET }));
	try {
		return await session.run(feeds);
	} finally {
		await session.release();
	}
}

/** How many nodes of each operator a graph and its bodies have. */
function countsOf(graph: Graph): Map<string, number> {
	const counts = new Map<string, number>();
	for (const { nodes } of graphsWithin(graph)) for (const { op } of nodes) counts.set(op, (counts.get(op) ?? 0) + 1);
	return counts;
}

type Use = { shapes: number[][]; build: (g: GraphBuilder, inputs: Value[]) => Value[]; without: string; range?: [number, number] };

const unary = (op: string, attributes = {}, range?: [number, number]): Use => ({
	shapes: [[3, 4]],
	build: (g, [x]) => [g.op(op, [x!], attributes)],
	without: op,
	...(range ? { range } : {}),
});
const pool = (attributes: object): Use => ({
	shapes: [[2, 3, 7, 8]],
	build: (g, [x]) => [g.op('LpPool', [x!], { kernel_shape: [3, 2], ...attributes })],
	without: 'LpPool',
});
/** Of x `[2, 3, 5, 4]` with a kernel `[3, 2, 3, 3]`. */
const transposed = (attributes: object, bias = false): Use => ({
	shapes: [[2, 3, 5, 4], [3, 2, 3, 3], ...(bias ? [[2]] : [])],
	build: (g, inputs) => [g.op('ConvTranspose', inputs, { strides: [2, 2], ...attributes })],
	without: 'nothing',
});
const norm = (attributes = {}): Use => ({
	shapes: [[4, 3, 5], [3], [3], [3], [3]],
	build: (g, inputs) => {
		const outputs = [g.fresh('y', 'float32', [4, 3, 5]), g.fresh('mean', 'float32', [3]), g.fresh('variance', 'float32', [3])];
		g.node('BatchNormalization', inputs, outputs, { training_mode: 1, ...attributes });
		return outputs;
	},
	range: [0.2, 2],
	without: 'BatchNormalization',
});

const uses: Record<string, Use> = {
	'BatchNormalization of a batch': norm(),
	'BatchNormalization with its own momentum and epsilon': norm({ momentum: float(0.6), epsilon: float(0.1) }),
	'ConvTranspose that cuts more at the begin': transposed({ pads: [1, 1, 0, 0] }),
	'ConvTranspose that cuts more at the end, with a bias': transposed({ pads: [0, 1, 2, 1], output_padding: [1, 0] }, true),
	'ConvTranspose with automatic padding': transposed({ auto_pad: 'SAME_UPPER' }),
	'ConvTranspose to a given shape': transposed({ output_shape: [8, 8] }),
	Celu: unary('Celu'),
	'Celu with alpha': unary('Celu', { alpha: float(0.7) }),
	'Sinh near 0': unary('Sinh', {}, [-0.01, 0.01]),
	'Sinh far from 0': unary('Sinh', {}, [-20, 20]),
	Cosh: unary('Cosh', {}, [-20, 20]),
	Tan: unary('Tan', {}, [-1.5, 1.5]),
	Mean: { shapes: [[3, 4], [4], [3, 1]], build: (g, inputs) => [g.op('Mean', inputs)], without: 'Mean' },
	'Mean of one': unary('Mean'),
	LpPool: pool({ strides: [2, 1] }),
	'LpPool with padding, p 1': pool({ pads: [1, 0, 1, 1], p: 1 }),
	'LpPool with automatic padding, p 3': pool({ auto_pad: 'SAME_UPPER', strides: [2, 2], p: 3 }),
	GlobalLpPool: { shapes: [[2, 3, 4, 5]], build: (g, [x]) => [g.op('GlobalLpPool', [x!], { p: 2 })], without: 'GlobalLpPool' },
	'Split of unequal parts': { shapes: [[2, 7]], build: (g, [x]) => g.split(x!, [1, 4, 2], 1), without: 'Split' },
	'Concat of unequal parts': {
		shapes: [
			[2, 6],
			[2, 2],
			[2, 4],
		],
		build: (g, inputs) => [g.concat(inputs, 1)],
		without: 'nothing',
	},
};

async function graphOf({ shapes, build }: Use): Promise<Graph> {
	const g = new GraphBuilder();
	const results = build(
		g,
		shapes.map((shape, i) => g.input(`x${i}`, 'float32', shape)),
	);
	results.forEach((value, i) => g.output(`y${i}`, value));
	return canonicalise({ graph: g.build('use'), opset: OPSET });
}

describe('forms for CUDA', () => {
	for (const [name, use] of Object.entries(uses))
		it(`of ${name} give the numbers of the operator`, async () => {
			const graph = await graphOf(use);
			const changed = withCudaForms(graph);
			expect(changed.nodes).not.toEqual(graph.nodes);
			expect(countsOf(changed).has(use.without)).toBe(false);
			const feeds = Object.fromEntries(use.shapes.map((shape, i) => [`x${i}`, drawn(shape, ...(use.range ?? []))]));
			const [expected, found] = [await run(graph, feeds), await run(changed, feeds)];
			expect(Object.keys(found)).toEqual(Object.keys(expected));
			for (const [output, { shape, data }] of Object.entries(expected)) {
				expect(found[output]!.shape).toEqual(shape);
				const numbers = found[output]!.data as Float32Array;
				(data as Float32Array).forEach((value, i) =>
					expect(Math.abs(numbers[i]! - value)).toBeLessThanOrEqual(2e-5 * Math.abs(value) + 1e-6),
				);
			}
		});

	it('leave what CUDA does as well', async () => {
		const kept: Use = {
			shapes: [
				[2, 6],
				[2, 6],
			],
			build: (g, [a, b]) => [
				...g.split(a!, [2, 2, 2], 1),
				// parts without a common size of which there are few enough
				g.concat([g.reshape(a!, [1, 12]), g.constant('float32', [1, 47], new Float32Array(47))], 1),
				g.op('Relu', [b!]),
			],
			without: '',
		};
		const graph = await graphOf(kept);
		expect(withCudaForms(graph).nodes).toEqual(graph.nodes);
	});

	it('reach into bodies, under names of their own', async () => {
		const body = new GraphBuilder('body/');
		const x = body.input('x', 'float32', [2, 4]);
		body.output('y', body.op('Mean', [body.op('Celu', [x]), x]));
		const g = new GraphBuilder();
		const ys = g.fresh('ys', 'float32', [3, 2, 4]);
		g.node('Scan', [g.op('Celu', [g.input('xs', 'float32', [3, 2, 4])])], [ys], {
			body: { type: 'graph', value: body.build('body') },
			num_scan_inputs: 1,
		});
		g.output('all', g.op('Celu', [ys]));
		const graph = g.build('whole');
		const changed = withCudaForms(graph);
		expect([...countsOf(changed).keys()].filter((op) => op === 'Celu' || op === 'Mean')).toEqual([]);
		const feeds = { xs: drawn([3, 2, 4]) };
		const [expected, found] = [await run(graph, feeds), await run(changed, feeds)];
		(expected['all']!.data as Float32Array).forEach((value, i) => expect((found['all']!.data as Float32Array)[i]).toBeCloseTo(value, 5));
	});
});
