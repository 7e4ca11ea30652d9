import { encodeModel, GraphBuilder, OPSET } from '@steelyard/onnx';
import { createSession, placeTensors, type Tensor, tensor } from '@steelyard/runtime';
import { kernelsOver, type Optimizer } from '../src/index.js';

/** What an optimizer is tried on: where it begins, and the gradient of every step. */
export type Work = { initial: Float32Array; gradients: readonly Float32Array[]; learningRate: number };

/** The parameters after the optimizer's steps in place. */
export function afterStepsInPlace({ inPlace, slots }: Optimizer, { initial, gradients, learningRate }: Work): Float32Array {
	const size = initial.length;
	const vector = { dtype: 'float32' as const, shape: [size] };
	const names = ['parameter', 'gradient', ...slots];
	const { memory, tensors } = placeTensors(Object.fromEntries(names.map((name) => [name, vector])));
	const at = (name: string): Float32Array => tensors[name]!.data as Float32Array;
	const kernels = kernelsOver(memory);
	at('parameter').set(initial);
	gradients.forEach((gradient, index) => {
		at('gradient').set(gradient);
		const scalars = inPlace.scalarsAt({ step: index + 1, learningRate });
		const places = Object.fromEntries(slots.map((slot) => [slot, at(slot).byteOffset]));
		const vectors = { parameter: at('parameter').byteOffset, gradient: at('gradient').byteOffset, slots: places, size };
		inPlace.update(kernels, vectors, 1, scalars);
	});
	return at('parameter');
}

/** The parameters after the optimizer's steps in float32, in chunks of `chunks` steps in turn, as a graph does them. */
export async function afterSteps(
	optimizer: Optimizer,
	{ initial, gradients, learningRate, chunks }: Work & { chunks: readonly number[] },
): Promise<Float32Array> {
	const shape = [1, initial.length];
	const g = new GraphBuilder();
	const input = (name: string) => g.input(name, 'float32', shape);
	const scale = g.input('lossScale', 'float32', [1, 1]);
	const scalars = Object.fromEntries(optimizer.scalars.map((name) => [name, g.input(name, 'float32', [1, 1])]));
	const slots = Object.fromEntries(optimizer.slots.map((slot) => [slot, input(slot)]));
	const next = optimizer.update(g, { parameter: input('parameter'), gradient: g.mul(input('gradient'), scale), slots, scalars });
	g.output('parameter/next', next.parameter);
	for (const slot of optimizer.slots) g.output(`${slot}/next`, next.slots[slot]!);
	const session = await createSession(encodeModel({ graph: g.build('step'), opset: OPSET }));

	const state: Record<string, Tensor> = { parameter: tensor('float32', shape, initial) };
	for (const slot of optimizer.slots) state[slot] = tensor('float32', shape, new Float32Array(initial.length));
	let step = 0;
	for (let chunk = 0; step < gradients.length; chunk++) {
		const steps = Math.min(chunks[chunk % chunks.length]!, gradients.length - step);
		if (steps > optimizer.maxChunk) throw new RangeError(`a chunk of ${steps} steps, the optimizer takes ${optimizer.maxChunk}`);
		for (let inChunk = 1; inChunk <= steps; inChunk++) {
			const values = optimizer.scalarsAt({ step: step + inChunk, inChunk, learningRate });
			const feeds = Object.fromEntries(
				['lossScale', ...optimizer.scalars].map((name) => [name, tensor('float32', [1, 1], [values[name]!])]),
			);
			const outputs = await session.run({ ...state, ...feeds, gradient: tensor('float32', shape, gradients[step + inChunk - 1]!) });
			for (const name of Object.keys(state)) state[name] = outputs[`${name}/next`]!;
		}
		for (const [slot, factor] of Object.entries(optimizer.afterChunk(steps))) {
			const scaled = Float32Array.from(state[slot]!.data as Float32Array, (value) => value * Math.fround(factor));
			state[slot] = tensor('float32', shape, scaled);
		}
		step += steps;
	}
	await session.release();
	return state['parameter']!.data as Float32Array;
}

export const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
	let worst = a.length === b.length ? 0 : Number.POSITIVE_INFINITY;
	for (let i = 0; i < a.length; i++) {
		const difference = Math.abs(a[i]! - b[i]!);
		worst = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(worst, difference);
	}
	return worst;
};
