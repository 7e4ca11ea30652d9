import { counterRandom } from '@steelyard/random';
import { describe, expect, it } from 'vitest';
import { familyArchitecture } from '../src/model/family-architecture.js';
import { type Oracle, ownInitial, type RowOf, trainAs } from './training-steps.js';

const ROWS = 24;
const architecture = familyArchitecture({
	config: { family: 'mlp-fusion' as const, hidden: 384, encoder_layers: 2, head_layers: 2 },
	modalities: [
		{ name: 'a', shape: [5], maskedSteps: false },
		{ name: 'b', shape: [6], maskedSteps: false },
	],
	outputs: 1,
});

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

// some parameters are groups by themselves, of more numbers than one part of an update and of fewer, and others share a group
describe('the split step', () => {
	const cases: Record<string, Partial<Oracle>> = {
		'AdamW with decay and clipping': { optimizer: { name: 'adamw', weightDecay: 0.1 }, clipNorm: 0.05 },
		Adam: { optimizer: { name: 'adam' } },
		'momentum with standardised inputs': {
			optimizer: { name: 'momentum' },
			standardisation: new Map([['a', { shape: [5], mean: new Float32Array(5).fill(0.2), inverse: new Float32Array(5).fill(3) }]]),
		},
	};
	for (const [name, options] of Object.entries(cases))
		it(`trains as the repeated one does: ${name}`, async () => {
			const repeated = await trainAs(oracle(options), 1);
			const split = await trainAs(oracle(options), 'split');
			expect(split.losses).toEqual(repeated.losses);
			expect(split.norms.length).toBe(options.clipNorm === undefined ? 0 : 4);
			split.norms.forEach((norm, i) => expect(norm).toBeCloseTo(repeated.norms[i] as number, 6));
			for (const [parameter, value] of repeated.parameters) expect(split.parameters.get(parameter)).toEqual(value);
		});
});
