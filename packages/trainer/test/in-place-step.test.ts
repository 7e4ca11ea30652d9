import { counterRandom } from '@steelyard/random';
import { describe, expect, it } from 'vitest';
import { familyArchitecture } from '../src/model/family-architecture.js';
import { largestError, type Oracle, ownInitial, type RowOf, trainAs } from './training-steps.js';

const ROWS = 24;
const architectureOf = (hidden: number) =>
	familyArchitecture({
		config: { family: 'mlp-fusion' as const, hidden, encoder_layers: 2, head_layers: 2 },
		modalities: [
			{ name: 'a', shape: [5], maskedSteps: false },
			{ name: 'b', shape: [6], maskedSteps: false },
		],
		outputs: 1,
	});
const [architecture, small] = [architectureOf(384), architectureOf(16)];

/** Numbers of every row, drawn once. */
function drawn(name: string, width: number): RowOf {
	const random = counterRandom(1, name);
	const numbers = Float32Array.from({ length: ROWS * width }, () => random.uniform() - 0.5);
	return (row) => numbers.subarray(row * width, (row + 1) * width);
}

const inputs = { 'x.a': drawn('a', 5), 'x.b': drawn('b', 6), 'w.a': () => [1], 'w.b': () => [0.5], target: drawn('y', 1) };
const oracle = (options: Partial<Oracle>): Oracle => ({
	...{ architecture, batch: 8, rows: ROWS, steps: 4, loss: 'mse', learningRate: 0.01, initial: ownInitial(architecture), inputs },
	...options,
});

type Trained = Awaited<ReturnType<typeof trainAs>>;

const haveEqualParameters = (found: Trained, expected: Trained): void => {
	for (const [name, { data }] of expected.parameters)
		expect(largestError(found.parameters.get(name)!.data as Float32Array, Array.from(data as Float32Array)), name).toBeLessThan(1e-3);
};

// some parameters are groups by themselves, and others share one
describe('the step in place', () => {
	const cases: Record<string, Partial<Oracle>> = {
		'AdamW with decay and clipping': { optimizer: { name: 'adamw', weightDecay: 0.1 }, clipNorm: 0.05 },
		'Adam with an L2 penalty': { optimizer: { name: 'adam', weightDecay: 0.1 } },
		'plain gradient descent': { optimizer: { name: 'sgd' } },
		'momentum with decay and standardised inputs': {
			optimizer: { name: 'momentum', weightDecay: 0.1 },
			standardisation: new Map([['a', { shape: [5], mean: new Float32Array(5).fill(0.2), inverse: new Float32Array(5).fill(3) }]]),
		},
	};

	it('skips the steps that the repeated one skips, in float16', async () => {
		const guarded: Partial<Oracle> = {
			...{
				architecture: small,
				initial: ownInitial(small),
				precision: 'float16',
				optimizer: { name: 'adam', moments: 'plain' },
				clipNorm: 0.05,
			},
			// the gradients of the first 8 rows, a batch, are more than float16 has
			inputs: { ...inputs, target: (row) => [row < 8 ? 1e6 : 1] },
		};
		const repeated = await trainAs(oracle(guarded), 1);
		const inPlace = await trainAs(oracle(guarded), 1, 'in place');
		expect(inPlace.norms.map(Number.isFinite)).toEqual([false, true, true, false]);
		expect(largestError(inPlace.losses, repeated.losses)).toBeLessThan(1e-4);
		haveEqualParameters(inPlace, repeated);
	});

	for (const [name, options] of Object.entries(cases))
		it(`trains as the repeated one does, within rounding: ${name}`, async () => {
			const repeated = await trainAs(oracle(options), 1);
			const inPlace = await trainAs(oracle(options), 2, 'in place');
			expect(largestError(inPlace.losses, repeated.losses)).toBeLessThan(1e-5);
			expect(inPlace.norms.length).toBe(options.clipNorm === undefined ? 0 : 4);
			expect(largestError(inPlace.norms, repeated.norms)).toBeLessThan(1e-5);
			haveEqualParameters(inPlace, repeated);
		});

	it('gives the same bits however many steps a run takes', async () => {
		const [one, all] = [await trainAs(oracle({}), 1, 'in place'), await trainAs(oracle({}), 4, 'in place')];
		expect(one).toEqual(all);
	});
});
