import { readFileSync } from 'node:fs';
import { canonicalise, encodeModel, GraphBuilder, OPSET, type Value } from '@steelyard/onnx';
import { createSession, type Tensor, tensor } from '@steelyard/runtime';
import { expect, it } from 'vitest';
import { differentiate } from '../src/index.js';

type Recorded = { inputs: { shape: number[]; data: number[]; gradient: number[] }[]; output: number[]; r: number[] };

const fixture = JSON.parse(readFileSync(new URL('fixtures/gradients-index.json', import.meta.url), 'utf8')) as {
	cases: Record<string, Recorded>;
};

const rows = [0, 3, 3, 2, 1, 0];
const columns = (g: GraphBuilder) => g.constant('int64', [2, 3], [0, 2, 2, 1, 1, 1]);

/** The same functions in ONNX operators, by the name of the case. */
const built: Record<string, (g: GraphBuilder, inputs: Value[], shape: number[]) => Value> = {
	slice: (g, [x], shape) => g.op('Slice', [x!, g.ints([1, 1]), g.ints([3, 6]), g.ints([0, 1]), g.ints([1, 2])], {}, { shape }),
	reverse: (g, [x], shape) => g.op('Slice', [x!, g.ints([-1]), g.ints([-99]), g.ints([1]), g.ints([-3])], {}, { shape }),
	'pad constant': (g, [x], shape) => g.op('Pad', [x!, g.ints([0, 1, 1, 2])], {}, { shape }),
	'pad edge': (g, [x], shape) => g.op('Pad', [x!, g.ints([0, 0, 3, 0, 0, 2])], { mode: 'edge' }, { shape }),
	'pad reflect': (g, [x], shape) => g.op('Pad', [x!, g.ints([0, 0, 3, 0, 0, 2])], { mode: 'reflect' }, { shape }),
	tile: (g, [x], shape) => g.op('Tile', [x!, g.ints([2, 3])], {}, { shape }),
	gather: (g, [x], shape) => g.op('Gather', [x!, g.constant('int64', [2, 3], rows)], { axis: 1 }, { shape }),
	'gather elements': (g, [x], shape) => g.op('GatherElements', [x!, columns(g)], { axis: 1 }, { shape }),
	'gather nd': (g, [x], shape) => g.op('GatherND', [x!, g.constant('int64', [3, 2], [0, 1, -1, -4, 0, 1])], {}, { shape }),
	'scatter elements': (g, [x, u]) => g.op('ScatterElements', [x!, columns(g), u!], { axis: 1, reduction: 'add' }),
	'scatter nd': (g, [x, u]) => g.op('ScatterND', [x!, g.constant('int64', [2, 1], [3, 0]), u!]),
	'top k': (g, [x], shape) => {
		const values: Value = { name: 'values', dtype: 'float64', shape };
		g.node('TopK', [x!, g.ints([2])], [values, { name: 'indices', dtype: 'int64', shape }], { axis: 1 });
		return values;
	},
	'depth to space': (g, [x], shape) => g.op('DepthToSpace', [x!], { blocksize: 2, mode: 'CRD' }, { shape }),
	einsum: (g, inputs, shape) => g.op('Einsum', inputs, { equation: 'bhqd,bhkd->bhqk' }, { shape }),
	'einsum diagonal': (g, inputs, shape) => g.op('Einsum', inputs, { equation: 'iij->j' }, { shape }),
	'matmul vector': (g, inputs, shape) => g.op('MatMul', inputs, {}, { shape }),
};

it.each(Object.entries(fixture.cases))('the gradients of %s equal those of PyTorch', async (name, { inputs, output, r }) => {
	const g = new GraphBuilder();
	const values = inputs.map(({ shape }, i) => g.input(`x${i}`, 'float64', shape));
	const y = (built[name] as (typeof built)[string])(g, values, output);
	g.output('loss', g.sumAll(g.mul(y, g.constant('float64', output, r))));
	const wrt = values.map((value) => value.name);
	const { graph, gradients } = differentiate(await canonicalise({ graph: g.build('case'), opset: OPSET }), { loss: 'loss', wrt });
	const backward = GraphBuilder.from(graph, 'test/');
	for (const x of wrt) backward.output(`d_${x}`, gradients.get(x) as Value);
	const session = await createSession(encodeModel({ graph: backward.build('backward'), opset: OPSET }));
	const found = await session.run(Object.fromEntries(inputs.map(({ shape, data }, i) => [`x${i}`, tensor('float64', shape, data)])));
	await session.release();
	inputs.forEach(({ gradient }, i) => {
		const ours = (found[`d_x${i}`] as Tensor).data;
		expect(ours.length).toBe(gradient.length);
		gradient.forEach((d, j) => expect(Math.abs(Number(ours[j]) - d)).toBeLessThanOrEqual(1e-4 * Math.abs(d) + 1e-6));
	});
});
