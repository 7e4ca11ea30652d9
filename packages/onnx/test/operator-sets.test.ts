import { createSession, type DType, sizeOf, type Tensor, tensor } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import {
	type Attributes,
	canonicalise,
	encodeModel,
	float,
	type Graph,
	GraphBuilder,
	type Model,
	OPSET,
	type Value,
} from '../src/index.js';

const filled = (dtype: DType, shape: readonly number[]): Tensor =>
	tensor(
		dtype,
		shape,
		Array.from({ length: sizeOf(shape) }, (_, i) => (dtype === 'float32' ? Math.sin(i * 1.7 + 0.3) : i % 2)),
	);
const run = async (model: Model, feeds: Record<string, Tensor>): Promise<Record<string, Tensor>> => {
	const session = await createSession(encodeModel(model));
	const outputs = await session.run(feeds);
	await session.release();
	return outputs;
};
/** The runtime must make the same of the canonical graph as of the model at its own operator set. */
async function expectSame(build: (g: GraphBuilder) => Value, opset: number): Promise<Graph> {
	const g = new GraphBuilder();
	g.output('y', build(g));
	const model = { graph: g.build('g'), opset };
	const feeds = Object.fromEntries(model.graph.inputs.map(({ name, dtype, shape }) => [name, filled(dtype, shape as number[])]));
	const graph = await canonicalise(model);
	const [theirs, ours] = [(await run(model, feeds))['y']!, (await run({ graph, opset: OPSET }, feeds))['y']!];
	expect([ours.dtype, ours.shape]).toEqual([theirs.dtype, theirs.shape]);
	// float32, a few operations
	Array.from(theirs.data as Float32Array, Number).forEach((value, i) => expect(Number(ours.data[i])).toBeCloseTo(value, 5));
	return graph;
}
const x = (g: GraphBuilder, shape: number[] = [2, 3, 4], dtype: DType = 'float32'): Value => g.input('x', dtype, shape);

describe('a model of an older operator set', () => {
	it.each(['L1', 'L2', 'LogSum', 'LogSumExp', 'Max', 'Mean', 'Min', 'Prod', 'SumSquare'])(
		'has the axes of its Reduce%s as an attribute',
		async (name) => {
			for (const opset of [13, 17]) {
				const positive = (g: GraphBuilder): Value => g.op('Exp', [x(g)]);
				await expectSame((g) => g.op(`Reduce${name}`, [positive(g)], { axes: [-1, 0], keepdims: 0 }, { shape: [3] }), opset);
				await expectSame((g) => g.op(`Reduce${name}`, [positive(g)], {}, { shape: [1, 1, 1] }), opset);
			}
		},
	);

	it('splits into as many parts as it has outputs', async () => {
		const graph = await expectSame((g) => {
			const parts = ['a', 'b'].map((name): Value => ({ name, dtype: 'float32', shape: [2, 3, 2] }));
			g.node('Split', [x(g)], parts, { axis: 2 });
			return g.sub(parts[1]!, parts[0]!);
		}, 13);
		expect(graph.nodes.map(({ op }) => op)).toEqual(['Split', 'Sub']);
	});

	it('does not shift the regions of RoiAlign by half a pixel', () =>
		expectSame(
			(g) =>
				g.op(
					'RoiAlign',
					[x(g, [1, 1, 6, 6]), g.constant('float32', [1, 4], [0.5, 1, 4, 5]), g.constant('int64', [1], [0])],
					{ output_height: 2, output_width: 2 },
					{ shape: [1, 1, 2, 2] },
				),
			13,
		));

	it('normalises by running statistics', () =>
		expectSame(
			(g) => g.op('BatchNormalization', [x(g, [2, 3, 2]), ...[1, 2, 3, 4].map((k) => g.constant('float32', [3], [k, 1, 2]))]),
			13,
		));
});

describe('a model of a newer operator set', () => {
	it.each([
		['linear', 'zeros'],
		['cubic', 'border'],
		['nearest', 'reflection'],
	])('samples a grid in mode %s', async (mode, padding) => {
		await expectSame(
			(g) =>
				g.op(
					'GridSample',
					[x(g, [1, 1, 4, 4]), g.input('grid', 'float32', [1, 2, 2, 2])],
					{ mode, padding_mode: padding },
					{ shape: [1, 1, 2, 2] },
				),
			20,
		);
	});

	it('takes the axis of a Fourier transform as an input, by default the last but one', async () => {
		const shape = [2, 3, 4, 2];
		await expectSame((g) => g.op('DFT', [x(g, shape)]), 20);
		await expectSame((g) => g.op('DFT', [x(g, shape), null, g.scalar(1, 'int64')], { inverse: 1 }), 20);
	});

	it('quantises to the type that it asks for', () =>
		expectSame(
			(g) =>
				g.op(
					'DequantizeLinear',
					[g.op('QuantizeLinear', [x(g), g.scalar(0.1)], { output_dtype: 3 }, { dtype: 'int8' }), g.scalar(0.1)],
					{},
					{ dtype: 'float32' },
				),
			21,
		));

	it('reduces bools', () => expectSame((g) => g.op('ReduceMax', [x(g, [2, 3], 'bool'), g.ints([1])], { keepdims: 0 }, { shape: [2] }), 20));

	it('has operators in it that are written as others, one after the other, with shapes that are known only then', async () => {
		const graph = await expectSame((g) => {
			const h = g.op('MeanVarianceNormalization', [x(g, [2, 4, 3, 3])]); // of which the runtime knows no shape
			const normed = g.op('RMSNormalization', [g.op('Gelu', [h]), g.constant('float32', [3], [1, 2, 3])]);
			return g.op('Swish', [normed], { alpha: float(2) });
		}, 24);
		const written = ['MeanVarianceNormalization', 'Gelu', 'RMSNormalization', 'Swish'];
		expect(graph.nodes.filter(({ op }) => written.includes(op))).toEqual([]);
	});

	it('may have an output twice, or an input that it only passes on', async () => {
		const g = new GraphBuilder();
		const outputs = [
			{ name: 'same', dtype: 'float32', shape: [2, 3] },
			{ name: 'y', dtype: 'float32', shape: [2, 3] },
		] as const;
		g.node('CastLike', [x(g, [2, 3]), g.scalar(1)], [outputs[0]]);
		g.output('same', outputs[0]);
		g.output('y', g.op('Exp', [outputs[0]]));
		const feeds = { x: filled('float32', [2, 3]) };
		const graph = await canonicalise({ graph: g.build('g'), opset: 21 });
		expect((await run({ graph, opset: OPSET }, feeds))['same']).toEqual(feeds.x);
	});
});

it('keeps the largest whole number, where slices end, of a Constant node', () =>
	expectSame((g) => {
		const input = x(g);
		const ints = (name: string, value: number): Value => {
			const constant = { name, dtype: 'int64', shape: [1] } as const;
			g.node('Constant', [], [constant], { value_ints: [value] });
			return constant;
		};
		return g.op('Slice', [input, ints('from', 1), ints('to', 2 ** 63), ints('axis', 2)], {}, { shape: [2, 3, 3] });
	}, OPSET));

describe('bodies of control flow', () => {
	const branch = (name: string, fill: (g: GraphBuilder) => Value): Graph => {
		const g = new GraphBuilder(`${name}/`);
		const y = fill(g);
		g.output(`${name}.y`, y);
		return g.build(name);
	};
	const choose = (op: string, attributes: Attributes, opset: number) =>
		expectSame((g) => {
			const value = x(g);
			const bodies = ['then_branch', 'else_branch'].map((name, i) => [
				name,
				{ type: 'graph', value: branch(name, (inner) => inner.op(i === 0 ? op : 'Neg', [value], i === 0 ? attributes : {})) },
			]);
			return g.op('If', [g.input('c', 'bool', [])], Object.fromEntries(bodies), { dtype: 'float32', shape: [2, 3, 4] });
		}, opset);

	it('are brought into the working form as well', async () => {
		for (const [op, attributes, opset] of [
			['Gelu', { approximate: 'tanh' }, 20],
			['Swish', {}, 24],
			['Mish', {}, 18],
			['Cast', { to: 1, saturate: 1 }, 21],
		] as const) {
			const graph = await choose(op, attributes, opset);
			expect(JSON.stringify(graph.nodes.map(({ attributes: all }) => all)), op).not.toContain(`"op":"${op === 'Cast' ? 'none' : op}"`);
		}
	});

	it('of a Loop, whose states need not say their types', () =>
		expectSame((g) => {
			const input = x(g, [2, 3]);
			const weights = g.input('w', 'float32', [3]);
			const untyped = (name: string): Value => ({ name, dtype: 'float32', shape: [], untyped: true });
			const step = new GraphBuilder('step/');
			step.output('next', step.op('Gelu', [step.mul({ ...input, name: 's' }, weights)]));
			const going = new GraphBuilder('going/');
			going.output('go', { name: 'c', dtype: 'bool', shape: [] });
			const [one, two] = [step.build('b'), going.build('b')];
			const body: Graph = {
				...one,
				nodes: [...two.nodes, ...one.nodes],
				inputs: [{ name: 'i', dtype: 'int64', shape: [] }, { name: 'c', dtype: 'bool', shape: [] }, untyped('s')],
				outputs: [untyped('go'), untyped('next')],
			};
			const trips = g.scalar(3, 'int64');
			return g.op(
				'Loop',
				[trips, g.constant('bool', [], [1]), input],
				{ body: { type: 'graph', value: body } },
				{ dtype: 'float32', shape: [2, 3] },
			);
		}, 20));

	it('reduce over axes that are an attribute in an older operator set', () =>
		expectSame((g) => {
			const value = x(g, [2, 3, 4]);
			const bodies = ['then_branch', 'else_branch'].map((name, i) => [
				name,
				{
					type: 'graph',
					value: branch(name, (inner) => inner.op(i === 0 ? 'ReduceMax' : 'ReduceMin', [value], { axes: [1] }, { shape: [2, 1, 4] })),
				},
			]);
			return g.op('If', [g.input('c', 'bool', [])], Object.fromEntries(bodies), { dtype: 'float32', shape: [2, 1, 4] });
		}, 13));
});

describe('what the working operator set cannot express is refused', () => {
	const refusal = async (opset: number, build: (g: GraphBuilder) => Value): Promise<unknown> => {
		const g = new GraphBuilder();
		g.output('y', build(g));
		return canonicalise({ graph: g.build('g'), opset }).catch((error: unknown) => error);
	};

	it('naming node, operator and attribute', async () => {
		const code = 'unsupported_operator';
		expect(await refusal(26, (g) => g.op('BitCast', [x(g)], { to: 6 }, { dtype: 'int32' }))).toMatchObject({
			code,
			where: 'BitCast_0',
			message: expect.stringMatching(/BitCast_0.*operator set 26/),
		});
		expect(
			await refusal(21, (g) =>
				g.op(
					'QuantizeLinear',
					[x(g), g.constant('float32', [2, 3, 2], new Array(12).fill(1))],
					{ block_size: 2, axis: 2 },
					{ dtype: 'uint8' },
				),
			),
		).toMatchObject({ code, where: 'QuantizeLinear_0', message: expect.stringMatching(/QuantizeLinear.*block_size/) });
		expect(
			await refusal(19, (g) =>
				g.op(
					'Resize',
					[x(g, [1, 1, 4, 4]), null, g.constant('float32', [4], [1, 1, 0.6, 0.6])],
					{ mode: 'linear', coordinate_transformation_mode: 'half_pixel_symmetric' },
					{ shape: [1, 1, 2, 2] },
				),
			),
		).toMatchObject({ code, message: expect.stringMatching(/Resize.*half_pixel_symmetric/) });
	});

	it('as is a value of which not even the number of dimensions is known, rather than take it for a scalar', async () => {
		const g = new GraphBuilder();
		const input = x(g, [2, 3]);
		const body = (name: string, op: string, axes: number[]): Graph => {
			const inner = new GraphBuilder(`${name}/`);
			inner.output(`${name}.y`, inner.op(op, [input, inner.ints(axes)], {}, { shape: [1, 2, 3] }));
			return { ...inner.build(name), outputs: [{ name: `${name}.y`, dtype: 'float32', shape: [], untyped: true }] };
		};
		const bodies = {
			then_branch: { type: 'graph', value: body('then', 'Unsqueeze', [0]) },
			else_branch: { type: 'graph', value: body('else', 'Unsqueeze', [0, 1]) },
		} as const;
		const chosen = g.op('If', [g.input('c', 'bool', [])], bodies, { dtype: 'float32', shape: [1, 2, 3] });
		g.output('y', chosen);
		const graph = g.build('g');
		const untyped = { ...graph, outputs: [{ ...graph.outputs[0]!, untyped: true as const }] };
		await expect(canonicalise({ graph: untyped, opset: OPSET })).rejects.toMatchObject({
			code: 'unknown_shape',
			message: expect.stringMatching(/number of dimensions/),
		});
	});
});
