import { encodeModel, GraphBuilder, OPSET, type Shape, type Value } from '@steelyard/onnx';
import { createSession, type DType, sizeOf, type Tensor, tensor } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import { differentiateModel } from '../src/index.js';

type Built = {
	inputs: Record<string, [DType, Shape]>;
	parameters: Record<string, number[]>;
	/** The loss, from the inputs and parameters. */
	loss: (g: GraphBuilder, values: Record<string, Value>) => Value;
	/** Sizes other than those that are tried, of every free dimension in turn. */
	sizes: Record<string, number>[];
};

const draw = (shape: readonly number[], seed: number): number[] =>
	Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(1 + seed + 7 * i) / 2);

function modelOf({ inputs, parameters, loss }: Built): Uint8Array {
	const g = new GraphBuilder();
	const values: Record<string, Value> = {};
	for (const [name, [dtype, shape]] of Object.entries(inputs)) values[name] = g.input(name, dtype, shape);
	Object.entries(parameters).forEach(([name, shape], i) => {
		values[name] = g.initializer(name, tensor('float32', shape, draw(shape, i)));
	});
	g.output('loss', loss(g, values));
	return encodeModel({ graph: g.build('case'), opset: OPSET });
}

async function run(bytes: Uint8Array, feeds: Record<string, Tensor>): Promise<Record<string, Tensor>> {
	const session = await createSession(bytes, { optimisation: 'all' });
	const outputs = await session.run(feeds);
	await session.release();
	return outputs;
}

const scalar = (g: GraphBuilder, op: string, x: Value): Value => g.op(op, [x], { keepdims: 0 }, { shape: [] });
const shapeOf = (g: GraphBuilder, x: Value): Value => g.op('Shape', [x], {}, { dtype: 'int64', shape: [x.shape.length] });
const at = (g: GraphBuilder, shape: Value, axis: number): Value => g.op('Gather', [shape, g.ints([axis])], {}, { shape: [1] });

const cases: Record<string, Built> = {
	'a network whose loss is a mean over the rows': {
		inputs: { x: ['float32', ['batch', 3]] },
		parameters: { weight: [3, 4], bias: [4] },
		loss: (g, { x, weight, bias }) => scalar(g, 'ReduceMean', g.op('Tanh', [g.add(g.matMul(x!, weight!), bias!)])),
		sizes: [{ batch: 1 }, { batch: 2 }, { batch: 37 }, { batch: 128 }],
	},
	'a Reshape that finds a dimension itself, over features as many as the rows that are tried': {
		inputs: { x: ['float32', ['batch', 11, 2]] },
		parameters: { weight: [22, 11] },
		loss: (g, { x, weight }) =>
			scalar(g, 'ReduceMean', g.op('Sigmoid', [g.matMul(g.op('Reshape', [x!, g.ints([-1, 22])], {}, { shape: ['batch', 22] }), weight!)])),
		sizes: [{ batch: 1 }, { batch: 11 }, { batch: 40 }],
	},
	'an unbiased variance, whose divisor is one less than the rows': {
		inputs: { x: ['float32', ['batch', 3]] },
		parameters: { scale: [3] },
		loss: (g, { x, scale }) => {
			const y = g.op('Mul', [x!, scale!]);
			const off = g.sub(y, g.reduce('ReduceMean', y, [0]));
			const count = g.cast(g.op('Sub', [at(g, shapeOf(g, x!), 0), g.ints([1])]), 'float32');
			return scalar(g, 'ReduceSum', g.op('Div', [g.mul(off, off), count]));
		},
		sizes: [{ batch: 2 }, { batch: 5 }, { batch: 64 }],
	},
	'positions and a state of zeros that have the size of the input, in two free dimensions': {
		inputs: { x: ['float32', ['batch', 'time', 3]] },
		parameters: { W: [1, 8, 3], R: [1, 8, 2], slope: [2] },
		loss: (g, { x, W, R, slope }) => {
			const shape = shapeOf(g, x!);
			const state = g.op(
				'ConstantOfShape',
				[g.op('Concat', [g.ints([1]), at(g, shape, 0), g.ints([2])], { axis: 0 }, { shape: [3] })],
				{},
				{ dtype: 'float32', shape: [1, 'batch', 2] },
			);
			const time = g.op('Squeeze', [at(g, shape, 1)], {}, { shape: [] });
			const zero = g.constant('int64', [], [0]);
			const places = g.op('Range', [zero, time, g.constant('int64', [], [1])], {}, { shape: ['time'] });
			const rows = g.op(
				'LSTM',
				[g.transpose(x!, [1, 0, 2]), W!, R!, null, null, state, state],
				{ hidden_size: 2 },
				{ shape: ['time', 1, 'batch', 2] },
			);
			const flat = g.op(
				'Transpose',
				[g.op('Squeeze', [rows, g.ints([1])], {}, { shape: ['time', 'batch', 2] })],
				{ perm: [1, 2, 0] },
				{ shape: ['batch', 2, 'time'] },
			);
			const scaled = g.op('Mul', [flat, g.cast(places, 'float32')], {}, { shape: ['batch', 2, 'time'] });
			const pooled = g.op('ReduceMean', [scaled, g.ints([2])], { keepdims: 0 }, { shape: ['batch', 2] });
			return scalar(g, 'ReduceMean', g.op('Mul', [pooled, slope!]));
		},
		sizes: [
			{ batch: 1, time: 1 },
			{ batch: 4, time: 2 },
			{ batch: 3, time: 21 },
			{ batch: 20, time: 20 },
		],
	},
};

describe('a model of symbolic sizes', () => {
	it.each(Object.entries(cases))('has gradients at every size: %s', async (_, built) => {
		const bytes = modelOf(built);
		const wrt = [...Object.keys(built.parameters), 'x'];
		const free = Object.keys(built.sizes[0] as object);
		const { bytes: any, symbolic, reason } = await differentiateModel(bytes, { loss: 'loss', wrt });
		expect({ symbolic, reason }).toEqual({ symbolic: free, reason: null });
		for (const dims of built.sizes) {
			const feeds = Object.fromEntries(
				Object.entries(built.inputs).map(([name, [dtype, shape]], i) => {
					const sizes = shape.map((dim) => (typeof dim === 'string' ? (dims[dim] as number) : dim));
					return [name, tensor(dtype, sizes, draw(sizes, 100 + i))];
				}),
			);
			const wanted = await run((await differentiateModel(bytes, { loss: 'loss', wrt, dims })).bytes, feeds);
			const found = await run(any, feeds);
			expect(Object.keys(found)).toEqual(Object.keys(wanted));
			for (const [name, { shape, data }] of Object.entries(wanted)) {
				expect(found[name]?.shape).toEqual(shape);
				const scale = Math.max(1e-6, ...Array.from(data as Float32Array, Math.abs));
				// two orders of summation in float32
				data.forEach((value, i) => expect(Math.abs(Number(found[name]?.data[i]) - Number(value))).toBeLessThanOrEqual(1e-5 * scale));
			}
		}
	});

	it('keeps the names of its dimensions, and leaves open only what is not given', async () => {
		const built = cases['positions and a state of zeros that have the size of the input, in two free dimensions'] as Built;
		const shapeAt = async (dims?: Record<string, number>): Promise<Shape | undefined> => {
			const session = await createSession(
				(await differentiateModel(modelOf(built), { loss: 'loss', wrt: ['x'], ...(dims && { dims }) })).bytes,
			);
			const { inputs } = session;
			await session.release();
			return inputs.find(({ name }) => name === 'x')?.shape;
		};
		expect(await shapeAt()).toEqual(['batch', 'time', 3]);
		expect(await shapeAt({ time: 9 })).toEqual(['batch', 9, 3]);
	});

	const triangle: Built = {
		inputs: { x: ['float32', ['batch', 'time', 'time']] },
		parameters: { scale: [1] },
		loss: (g, { x, scale }) => {
			const shape = shapeOf(g, x!);
			const square = g.op('Concat', [at(g, shape, 1), at(g, shape, 2)], { axis: 0 }, { shape: [2] });
			const ones = g.op(
				'ConstantOfShape',
				[square],
				{ value: { type: 'tensor', value: tensor('float32', [1], [1]) } },
				{ dtype: 'float32', shape: ['time', 'time'] },
			);
			return scalar(g, 'ReduceSum', g.op('Mul', [g.op('Mul', [x!, g.op('Trilu', [ones], { upper: 0 })]), scale!]));
		},
		sizes: [],
	};

	it('is refused, with what follows a size, where no one graph is right at every size', async () => {
		await expect(differentiateModel(modelOf(triangle), { loss: 'loss', wrt: ['scale'], batch: 32 })).rejects.toThrow(
			/"time" \(axis 1 of the input "x"\).*--dims time=4.*a constant of node .*float32 \[\d+,\d+\], is no simple function/,
		);
	});

	it('gets a size for its rows where one graph is not right at every number of them, and says why', async () => {
		const built: Built = { ...triangle, inputs: { x: ['float32', ['time', 'time', 'time']] } };
		const { dims, symbolic, reason } = await differentiateModel(modelOf(built), { loss: 'loss', wrt: ['scale'], batch: 32 });
		expect({ dims, symbolic, reason }).toEqual({
			dims: { time: 32 },
			symbolic: [],
			reason: expect.stringContaining('is no simple function'),
		});
	});
});

describe('parameters as inputs', () => {
	it('are inputs of the same names, from which the same gradients follow', async () => {
		const built = cases['a network whose loss is a mean over the rows'] as Built;
		const bytes = modelOf(built);
		const own = await differentiateModel(bytes, { loss: 'loss', wrt: ['weight'] });
		const made = await differentiateModel(bytes, { loss: 'loss', wrt: ['weight'], parameters: 'inputs' });
		expect(made.parameters).toEqual(['weight', 'bias']);
		const feeds = { x: tensor('float32', [5, 3], draw([5, 3], 9)) };
		const given = (by: number): Record<string, Tensor> =>
			Object.fromEntries(
				Object.entries(built.parameters).map(([name, shape], i) => [
					name,
					tensor(
						'float32',
						shape,
						draw(shape, i).map((value) => by * value),
					),
				]),
			);
		const found = await run(made.bytes, { ...feeds, ...given(1) });
		expect(found).toEqual(await run(own.bytes, feeds));
		expect((await run(made.bytes, { ...feeds, ...given(2) }))['loss']?.data[0]).not.toBe(found['loss']?.data[0]);
	});
});
