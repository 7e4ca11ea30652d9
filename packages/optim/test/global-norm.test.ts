import { encodeModel, GraphBuilder, OPSET } from '@steelyard/onnx';
import { createSession, tensor } from '@steelyard/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clipToNorm, globalNorm } from '../src/index.js';

/** Norm and clipped gradients by the graph. */
async function clipped(gradients: number[][], largest: number): Promise<{ norm: number; gradients: number[][] }> {
	const g = new GraphBuilder();
	const inputs = gradients.map((gradient, i) => g.input(`g${i}`, 'float32', [1, gradient.length]));
	const norm = globalNorm(g, inputs);
	expect(norm.shape).toEqual([1, 1]);
	g.output('norm', norm);
	clipToNorm(g, inputs, norm, g.constant('float32', [1, 1], [largest])).forEach((value, i) => g.output(`c${i}`, value));
	const session = await createSession(encodeModel({ graph: g.build('clip'), opset: OPSET }));
	const outputs = await session.run(
		Object.fromEntries(gradients.map((gradient, i) => [`g${i}`, tensor('float32', [1, gradient.length], gradient)])),
	);
	await session.release();
	return { norm: outputs['norm']!.data[0] as number, gradients: gradients.map((_, i) => [...(outputs[`c${i}`]!.data as Float32Array)]) };
}

describe('clipping to a global norm', () => {
	it('scales all gradients by min(1, largest / (norm + 1e-6))', async () => {
		const number = fc.float({ min: -100, max: 100, noNaN: true, noDefaultInfinity: true });
		await fc.assert(
			fc.asyncProperty(
				fc.array(fc.array(number, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 3 }),
				fc.constantFrom(0.01, 0.8, 1, 50, 1e6),
				async (gradients, largest) => {
					const norm = Math.sqrt(gradients.flat().reduce((sum, value) => sum + value * value, 0));
					const factor = Math.min(1, largest / (norm + 1e-6));
					const found = await clipped(gradients, largest);
					// float32: some units in the last place; gradients below 1e-19 have squares below the range of float32
					expect(Math.abs(found.norm - norm)).toBeLessThanOrEqual(1e-6 * norm + 1e-18);
					found.gradients
						.flat()
						.forEach((value, i) =>
							expect(Math.abs(value - factor * gradients.flat()[i]!)).toBeLessThanOrEqual(2e-6 * Math.abs(gradients.flat()[i]!) + 1e-18),
						);
				},
			),
			{ seed: 1, numRuns: 60 },
		);
	});

	it('leaves gradients of zero at zero', async () => {
		expect(await clipped([[0, 0], [0]], 1)).toEqual({ norm: 0, gradients: [[0, 0], [0]] });
	});

	it('leaves gradients below the norm as they are, bit for bit', async () => {
		expect((await clipped([[0.25, -0.5], [0.125]], 1)).gradients).toEqual([[0.25, -0.5], [0.125]]);
	});

	it('adds 1e-6 to the norm, as clip_grad_norm_ does: it shows where both are small', async () => {
		const { gradients } = await clipped([[1e-5]], 1e-6);
		expect(gradients[0]![0]! / (1e-5 * (1e-6 / 1.1e-5))).toBeCloseTo(1, 5);
	});

	it('brings a larger one to the norm', async () => {
		const { norm, gradients } = await clipped([[3], [4]], 1);
		expect(norm).toBe(5);
		expect(Math.hypot(...gradients.flat())).toBeCloseTo(1, 5);
	});
});
