import { counterRandom } from '@steelyard/random';
import { describe, expect, it } from 'vitest';
import { type OptimizerOptions, optimizer } from '../src/index.js';
import { afterSteps, afterStepsInPlace, largestDifference } from './steps.js';

const STEPS = 600;
const PARAMETERS = 400;
const RATE = 1e-3;
const options: OptimizerOptions = { name: 'adam', weightDecay: 0, momentum: 0.9, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

/** Gradients of every size from 1e-6 to 10, half of them 0. */
function problem(seed: number) {
	const random = counterRandom(seed, 'problem');
	const initial = Float32Array.from({ length: PARAMETERS }, () => random.normal());
	const scales = Float64Array.from(initial, () => 10 ** (7 * random.uniform() - 6));
	const gradients = Array.from({ length: STEPS }, () =>
		Float32Array.from(scales, (scale) => (random.uniform() < 0.5 ? scale * random.normal() : 0)),
	);
	return { initial, gradients, learningRate: RATE };
}
type Problem = ReturnType<typeof problem>;

/**
 * Adam and AdamW as PyTorch computes them, one operation after another (torch/optim/adam.py, _single_tensor_adam), rounding every result by `round`:
 * `Math.fround` is PyTorch in float32, the identity is float64.
 */
function reference(
	{ initial, gradients, learningRate }: Problem,
	{ name, weightDecay, beta1, beta2, epsilon }: OptimizerOptions,
	round: (value: number) => number,
): Float64Array {
	const p = Float64Array.from(initial);
	const m = new Float64Array(p.length);
	const v = new Float64Array(p.length);
	gradients.forEach((gradient, index) => {
		const stepSize = learningRate / (1 - beta1 ** (index + 1));
		const correction = Math.sqrt(1 - beta2 ** (index + 1));
		for (let i = 0; i < p.length; i++) {
			let g = gradient[i]!;
			if (name === 'adamw') p[i] = round(p[i]! * round(1 - learningRate * weightDecay));
			else if (weightDecay > 0) g = round(g + round(round(weightDecay) * p[i]!));
			m[i] = round(m[i]! + round(round(1 - beta1) * round(g - m[i]!)));
			v[i] = round(round(v[i]! * round(beta2)) + round(round(round(1 - beta2) * g) * g));
			const denominator = round(round(round(Math.sqrt(v[i]!)) / round(correction)) + round(epsilon));
			p[i] = round(p[i]! - round(round(stepSize) * round(m[i]! / denominator)));
		}
	});
	return p;
}
const exact = (value: number): number => value;

/** Our error may be this much of that of PyTorch in float32: they round at other places, so that neither is always the smaller. */
const SHARE = 1.5;

describe('Adam', () => {
	const cases: Array<[string, Partial<OptimizerOptions>]> = [
		['Adam', {}],
		['Adam with weight decay', { weightDecay: 0.01 }],
		['AdamW', { name: 'adamw', weightDecay: 0.1 }],
		['AdamW without decay', { name: 'adamw' }],
		['Adam with β2 = 0.95', { beta2: 0.95 }],
		['Adam with β1 = 0', { beta1: 0 }],
		['Adam with ε = 1e-3', { epsilon: 1e-3 }],
		['AdamW with plain moments', { name: 'adamw', weightDecay: 0.1, moments: 'plain' }],
	];
	for (const [title, changed] of cases)
		it(`${title} in chunks of any size and in place is as near to float64 as PyTorch in float32 after ${STEPS} steps`, async () => {
			const chosen = { ...options, ...changed };
			const ours = optimizer(chosen);
			const work = problem(1);
			const truth = reference(work, chosen, exact);
			const allowed = SHARE * largestDifference(reference(work, chosen, Math.fround), truth);
			expect(allowed).toBeLessThan(1e-4);
			for (const chunks of [[100], [1], [7, 250, 1, 33], [Math.min(STEPS, ours.maxChunk)]])
				expect(
					largestDifference(await afterSteps(ours, { ...work, chunks: chunks.map((steps) => Math.min(steps, ours.maxChunk)) }), truth),
					`chunks ${chunks}`,
				).toBeLessThanOrEqual(allowed);
			expect(largestDifference(afterStepsInPlace(ours, work), truth), 'in place').toBeLessThanOrEqual(allowed);
		});

	it('does not move a parameter whose gradient is always 0', async () => {
		const initial = Float32Array.of(1, -2, 0);
		const gradients = Array.from({ length: 20 }, () => new Float32Array(3));
		expect(await afterSteps(optimizer(options), { initial, gradients, learningRate: 0.1, chunks: [5] })).toEqual(initial);
		expect(afterStepsInPlace(optimizer(options), { initial, gradients, learningRate: 0.1 })).toEqual(initial);
	});

	it('keeps every scale finite and its square far inside float32 up to the largest chunk, and takes at least one step', () => {
		for (const beta2 of [0.5, 0.6, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999, 0.9999, 0.99999]) {
			const { maxChunk, scalarsAt, afterChunk } = optimizer({ ...options, beta2 });
			expect(Number.isInteger(maxChunk)).toBe(true);
			expect(maxChunk).toBeGreaterThanOrEqual(1);
			for (const inChunk of [1, maxChunk])
				for (const [name, value] of Object.entries(scalarsAt({ step: 10_000 + inChunk, inChunk, learningRate: 1e-3 })))
					expect(Number.isFinite(value), `${name}, β2 ${beta2}`).toBe(true);
			const { lossScale } = scalarsAt({ step: maxChunk, inChunk: maxChunk, learningRate: 1e-3 });
			expect(lossScale).toBeGreaterThanOrEqual(1);
			expect(lossScale! ** 2).toBeLessThan(1e8);
			for (const factor of Object.values(afterChunk(maxChunk))) expect(factor).toBeGreaterThan(1e-8);
		}
	});

	it('with plain moments, has the same numbers for a step wherever it stands in a chunk, and nothing to do after one', () => {
		const { scalarsAt, afterChunk, maxChunk } = optimizer({ ...options, moments: 'plain' });
		const at = (inChunk: number) => scalarsAt({ step: 100, inChunk, learningRate: 1e-3 });
		expect(at(77)).toEqual(at(1));
		expect(at(1)['lossScale']).toBe(1);
		expect(afterChunk(50)).toEqual({ m: 1, v: 1 });
		expect(maxChunk).toBe(Number.POSITIVE_INFINITY);
	});

	it('allows chunks of a hundred steps and more for the usual β2', () => {
		for (const beta2 of [0.99, 0.999, 0.9999]) expect(optimizer({ ...options, beta2 }).maxChunk).toBeGreaterThanOrEqual(100);
	});

	it('has finite scales for the ends of what a job may ask for', () => {
		for (const beta1 of [0, 0.9, 0.9999])
			for (const beta2 of [0.5, 1 - 2 ** -53]) {
				const { maxChunk, scalarsAt, afterChunk, scalars } = optimizer({ ...options, beta1, beta2 });
				const values = scalarsAt({ step: maxChunk, inChunk: maxChunk, learningRate: 1e-3 });
				for (const name of ['lossScale', ...scalars])
					expect(Number.isFinite(Math.fround(values[name]!)), `${name}, β1 ${beta1}, β2 ${beta2}`).toBe(true);
				for (const factor of Object.values(afterChunk(maxChunk))) expect(Number.isFinite(factor)).toBe(true);
			}
	});
});
