import type { Provider } from '@steelyard/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { denseWork, stepWork } from '../src/model/work.js';
import { chunkSteps } from '../src/step/chunk-size.js';

type Sizes = Parameters<typeof denseWork>[0] & { perEpoch: number; most: number; provider?: Provider };
const stepsOf = (sizes: Sizes): number =>
	chunkSteps({ provider: 'cpu', ...sizes, targets: 0, work: stepWork(denseWork(sizes), sizes.parameters) });
const of = (parameters: number, features: number[], batch: number, more: Partial<{ perEpoch: number; most: number }> = {}) => ({
	parameters: [{ name: 'p', shape: [parameters] }],
	modalities: [{ name: 'x', shape: features, maskedSteps: false }],
	batch,
	perEpoch: 1_000_000,
	most: Number.POSITIVE_INFINITY,
	...more,
});

describe('steps of a chunk', () => {
	it('are at least one, whole, within the epoch and what the optimizer allows, and hold at most 32 MiB unless they are one', () => {
		const size = (max: number) => fc.integer({ min: 1, max });
		fc.assert(
			fc.property(
				size(10_000_000),
				fc.array(size(5000), { minLength: 1, maxLength: 2 }),
				size(10_000),
				size(100_000),
				fc.oneof(size(2000), fc.constant(Number.POSITIVE_INFINITY)),
				(parameters, features, batch, perEpoch, most) => {
					const steps = stepsOf(of(parameters, features, batch, { perEpoch, most }));
					expect(Number.isInteger(steps)).toBe(true);
					expect(steps).toBeGreaterThanOrEqual(1);
					expect(steps).toBeLessThanOrEqual(Math.min(perEpoch, most));
					const bytes = 4 * batch * features.reduce((a, b) => a * b, 1);
					if (steps > 1) expect(steps * bytes).toBeLessThanOrEqual(32 * 2 ** 20);
				},
			),
			{ seed: 1, numRuns: 500 },
		);
	});

	it('fall with the size of the model, the batch and the inputs', () => {
		const plain = stepsOf(of(100_000, [50], 32));
		expect(plain).toBeGreaterThan(100);
		expect(stepsOf(of(1_000_000, [50], 32))).toBeLessThan(plain);
		expect(stepsOf(of(100_000, [50], 128))).toBeLessThan(plain);
		expect(stepsOf(of(100_000, [50_000], 32))).toBeLessThan(plain);
		expect(stepsOf(of(100_000, [30, 50], 32))).toBeLessThan(plain); // a sequence: every step of it goes through the encoder
	});

	it('are more on a GPU, where each is quicker', () => {
		const large = of(1_000_000, [30, 50], 128);
		expect(stepsOf({ ...large, provider: 'cuda' })).toBeGreaterThan(20 * stepsOf(large));
	});

	it('are one for a model that takes a second a step', () => {
		expect(stepsOf(of(500_000_000, [10], 256))).toBe(1);
	});

	it('take every modality and parameter into account', () => {
		const one = of(100_000, [50], 32);
		const two = {
			...one,
			parameters: [...one.parameters, ...one.parameters],
			modalities: [...one.modalities, { name: 'y', shape: [20_000], maskedSteps: false }],
		};
		expect(stepsOf(two)).toBeLessThan(stepsOf({ ...one, parameters: two.parameters }));
		expect(stepsOf({ ...one, parameters: two.parameters })).toBeLessThan(stepsOf(one));
	});
});
