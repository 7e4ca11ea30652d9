import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { initialPlateau, learningRateAt, plateauAfter, type Schedule } from '../src/index.js';

type Curve = { steps: number; warmup_fraction: number; final_fraction: number; rates: number[] };
const fixture = JSON.parse(readFileSync(new URL('fixtures/schedule.json', import.meta.url), 'utf8')) as {
	base: number;
	cosine: Curve[];
	sequential: Curve[];
	plateau: Array<{ losses: number[]; factor: number; patience: number; scales: number[] }>;
};
const { base } = fixture;
const schedule = (changed: Partial<Schedule>): Schedule => ({
	name: 'constant',
	warmup_fraction: 0,
	final_fraction: 0,
	factor: 0.5,
	patience: 2,
	...changed,
});
const rates = (of: Schedule, steps: number) =>
	Array.from({ length: steps }, (_, i) => learningRateAt(of, { base, step: i + 1, steps, plateau: initialPlateau }));

/** The scale after each epoch. */
function scales(of: Schedule, losses: readonly number[]): number[] {
	let state = initialPlateau;
	return losses.map((loss) => {
		state = plateauAfter(of, state, loss);
		return state.scale;
	});
}
/** Both in float64; PyTorch's chained schedulers multiply the rate from step to step. */
const expectEqual = (found: number[], expected: number[]): void => {
	expect(found).toHaveLength(expected.length);
	found.forEach((rate, i) => expect(Math.abs(rate - expected[i]!), `at ${i}`).toBeLessThanOrEqual(1e-12));
};

describe('a learning rate', () => {
	it('stays where it is when constant, also after bad epochs', () => {
		expect(rates(schedule({}), 5)).toEqual(new Array(5).fill(base));
		expect(plateauAfter(schedule({}), initialPlateau, 1)).toEqual(initialPlateau);
	});

	for (const { steps, warmup_fraction, final_fraction, rates: expected } of fixture.cosine)
		it(`warms up and falls as by PyTorch's LambdaLR: ${steps} steps, ${warmup_fraction} of them warm-up, down to ${final_fraction}`, () =>
			expectEqual(rates(schedule({ name: 'warmup-cosine', warmup_fraction, final_fraction }), steps), expected));

	for (const { steps, warmup_fraction, final_fraction, rates: expected } of fixture.sequential)
		it(`warms up and falls as by PyTorch's LinearLR and CosineAnnealingLR one after the other`, () =>
			expectEqual(rates(schedule({ name: 'warmup-cosine', warmup_fraction, final_fraction }), steps), expected));

	it('is never negative, above the base, or not a number, at any step of any length', () => {
		for (const steps of [1, 2, 3, 10])
			for (const warmup_fraction of [0, 0.1, 0.5, 1])
				for (const rate of rates(schedule({ name: 'warmup-cosine', warmup_fraction }), steps)) {
					expect(rate).toBeGreaterThanOrEqual(0);
					expect(rate).toBeLessThanOrEqual(base);
				}
	});

	fixture.plateau.forEach(({ losses, factor, patience, scales: expected }, i) => {
		it(`is cut as by PyTorch's ReduceLROnPlateau: curve ${i}, factor ${factor}, patience ${patience}`, () => {
			const of = schedule({ name: 'plateau', factor, patience });
			expectEqual(scales(of, losses), expected);
			expect(learningRateAt(of, { base, step: 3, steps: 9, plateau: { ...initialPlateau, scale: 0.25 } })).toBe(base / 4);
		});
	});

	it('recovers from a first epoch whose loss is no number, as in PyTorch', () => {
		// nan < inf is false: a bad epoch, and the best stays unset
		const of = schedule({ name: 'plateau', factor: 0.5, patience: 1 });
		expect(scales(of, [Number.NaN, 3, 2, 1, 0.5, 0.4])).toEqual([1, 1, 1, 1, 1, 1]);
		expect(scales(of, [2, Number.NaN, Number.NaN, 1, 0.5])).toEqual([1, 1, 0.5, 0.5, 0.5]);
	});

	it('does not change the state that it goes on from', () => {
		const state = { ...initialPlateau, best: 1, badEpochs: 1 };
		plateauAfter(schedule({ name: 'plateau' }), state, 2);
		expect(state).toEqual({ scale: 1, best: 1, badEpochs: 1 });
		expect(initialPlateau).toEqual({ scale: 1, best: null, badEpochs: 0 });
	});
});
