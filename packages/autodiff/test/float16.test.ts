import { type Attributes, canonicalise, encodeModel, GraphBuilder, OPSET, type Value } from '@steelyard/onnx';
import { createSession, type DType, sizeOf, tensor } from '@steelyard/runtime';
import { expect, it } from 'vitest';
import { differentiate } from '../src/index.js';
import { uniformNumbers } from './gradient-check.js';

type Built = (g: GraphBuilder, inputs: Value[]) => Value;
const op =
	(name: string, attributes: Attributes = {}, shape?: number[]): Built =>
	(g, inputs) =>
		g.op(name, inputs, attributes, shape ? { shape } : {});

const x = [[2, 3, 4]];
const built: Record<string, [number[][], Built]> = {
	Tanh: [x, op('Tanh')],
	Sigmoid: [x, op('Sigmoid')],
	Relu: [x, op('Relu')],
	LeakyRelu: [x, op('LeakyRelu')],
	Exp: [x, op('Exp')],
	Softmax: [x, op('Softmax')],
	Mul: [[[2, 3, 4], [4]], (g, [a, b]) => g.mul(a!, b!)],
	Div: [[[2, 3, 4], [4]], (g, [a, b]) => g.div(a!, b!)],
	MatMul: [
		[
			[2, 3, 4],
			[4, 2],
		],
		(g, [a, b]) => g.matMul(a!, b!),
	],
	Gemm: [[[3, 4], [4, 2], [2]], (g, [a, b, c]) => g.gemm(a!, b!, c!)],
	Conv: [[[1, 2, 5], [3, 2, 3], [3]], op('Conv', {}, [1, 3, 3])],
	LayerNormalization: [[[2, 3, 4], [4], [4]], op('LayerNormalization')],
	ReduceMean: [x, (g, [a]) => g.reduce('ReduceMean', a!, [1])],
	ReduceProd: [x, (g, [a]) => g.reduce('ReduceProd', a!, [1])],
	Gather: [x, (g, [a]) => g.op('Gather', [a!, g.ints([2, 0, 2])], { axis: 1 }, { shape: [2, 3, 4] })],
	Slice: [x, (g, [a]) => g.op('Slice', [a!, g.ints([1]), g.ints([4]), g.ints([2]), g.ints([2])], {}, { shape: [2, 3, 2] })],
	// the runtime computes the operands in float32 and rounds only some of them
	Max: [x, (g, [a]) => g.op('Max', [g.op('Tanh', [a!]), g.op('Sigmoid', [g.exp(a!)])])],
	Min: [
		[
			[2, 3, 4],
			[3, 4],
		],
		(g, [a, b]) => g.op('Min', [g.exp(a!), g.op('Tanh', [b!]), g.op('Sqrt', [a!])]),
	],
	ReduceMax: [x, (g, [a]) => g.reduce('ReduceMax', g.op('Tanh', [a!]), [1])],
	ReduceMin: [x, (g, [a]) => g.reduce('ReduceMin', g.exp(a!), [0, 2])],
	ScatterElements: [
		[
			[3, 4],
			[1, 4],
		],
		(g, [a, b]) =>
			g.op('ScatterElements', [g.op('Tanh', [a!]), g.constant('int64', [1, 4], [2, 0, 1, 2]), g.op('Sigmoid', [b!])], {
				axis: 0,
				reduction: 'max',
			}),
	],
	Resize: [
		[[1, 1, 3, 4]],
		(g, [a]) => g.op('Resize', [a!, null, g.constant('float32', [4], [1, 1, 2, 1.5])], { mode: 'linear' }, { shape: [1, 1, 6, 6] }),
	],
};

const fromBits = (bits: number): number => {
	const [sign, exponent, mantissa] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
	return sign * (exponent === 0 ? mantissa * 2 ** -24 : (1 + mantissa / 1024) * 2 ** (exponent - 15));
};

async function gradients([shapes, build]: [number[][], Built], dtype: DType): Promise<number[][]> {
	const next = uniformNumbers(1);
	const g = new GraphBuilder();
	const inputs = shapes.map((shape, i) => g.input(`x${i}`, dtype, shape));
	// numbers that float16 holds exactly, away from 0
	const draw = (shape: number[]) =>
		tensor(
			dtype,
			shape,
			Array.from({ length: sizeOf(shape) }, () => (32 + Math.floor(96 * next())) / 64),
		);
	const feeds = Object.fromEntries(shapes.map((shape, i) => [`x${i}`, draw(shape)]));
	const y = build(g, inputs);
	g.output('loss', g.sumAll(g.mul(y, g.initializer('r', draw(y.shape as number[])))));
	const graph = await canonicalise({ graph: g.build('case'), opset: OPSET });
	const wrt = inputs.map(({ name }) => name);
	const found = differentiate(graph, { loss: 'loss', wrt });
	const backward = GraphBuilder.from(found.graph, 'test/');
	for (const name of wrt) backward.output(`d_${name}`, found.gradients.get(name) as Value);
	const session = await createSession(encodeModel({ graph: backward.build('backward'), opset: OPSET }));
	const outputs = await session.run(feeds);
	await session.release();
	return wrt.map((name) => {
		const gradient = outputs[`d_${name}`]!;
		expect(gradient.dtype).toBe(dtype);
		return Array.from(gradient.data as ArrayLike<number>, (value) => (dtype === 'float16' ? fromBits(value) : value));
	});
}

// float16 keeps 11 bits; a hundred steps of rounding are allowed, for sums of products that nearly cancel
it.each(Object.entries(built))('the gradients of %s in float16 are of that type, and those of float32 to 3 digits', async (_, use) => {
	const [half, single] = [await gradients(use, 'float16'), await gradients(use, 'float32')];
	single.forEach((gradient, i) => {
		const scale = Math.max(1, ...gradient.map(Math.abs));
		gradient.forEach((value, j) => expect(Math.abs(half[i]![j]! - value)).toBeLessThanOrEqual(5e-3 * scale));
	});
});
