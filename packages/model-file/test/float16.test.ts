import { decodeModel, encodeModel, GraphBuilder, OPSET } from '@steelyard/onnx';
import { createSession, tensor } from '@steelyard/runtime';
import { expect, it } from 'vitest';
import { differentiateModel } from '../src/index.js';

/** loss = √Σ (x·w + shift)² of float16, whose squares are more than the 65504 that float16 holds. */
function distance(): Uint8Array {
	const g = new GraphBuilder();
	const x = g.input('x', 'float16', ['batch', 2]);
	const shifted = g.add(
		g.matMul(x, g.initializer('w', tensor('float16', [2, 2], [1, 0, 0, 1]))),
		g.initializer('shift', tensor('float16', [2], [0, 100])),
	);
	g.output('loss', g.op('Sqrt', [g.op('ReduceSum', [g.mul(shifted, shifted)], { keepdims: 0 }, { shape: [] })]));
	return encodeModel({ graph: g.build('distance'), opset: OPSET });
}
const half = (shape: number[], values: number[]) => tensor('float16', shape, values);

it('a model of float16 is computed in float32 between inputs, initializers, loss and gradients of float16', async () => {
	const { bytes } = await differentiateModel(distance(), { loss: 'loss', wrt: ['w', 'x'] });
	const { graph } = decodeModel(bytes);
	expect(['w', 'shift'].map((name) => graph.initializers.get(name)?.dtype)).toEqual(['float16', 'float16']);
	const session = await createSession(bytes);
	expect([...session.inputs, ...session.outputs].map(({ name, dtype }) => `${name} ${dtype}`)).toEqual([
		'x float16',
		'loss float16',
		'grad/w float16',
		'grad/x float16',
	]);
	// (300, 400) is 500 from the origin
	const found = await session.run({ x: half([1, 2], [300, 300]) });
	await session.release();
	expect(found['loss']).toEqual(half([], [500]));
	expect(found['grad/x']).toEqual(half([1, 2], [0.6, 0.8]));
	expect(found['grad/w']).toEqual(half([2, 2], [180, 240, 180, 240]));
});

it('takes parameters of float16 as inputs of float16', async () => {
	const { bytes, parameters } = await differentiateModel(distance(), { loss: 'loss', wrt: ['w'], parameters: 'inputs' });
	expect(parameters).toEqual(['w', 'shift']);
	const session = await createSession(bytes);
	const found = await session.run({ x: half([1, 2], [300, 300]), w: half([2, 2], [1, 0, 0, 1]), shift: half([2], [0, 100]) });
	await session.release();
	expect(found['grad/w']).toEqual(half([2, 2], [180, 240, 180, 240]));
});
