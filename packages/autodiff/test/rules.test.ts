import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rules } from '../src/index.js';
import { cases } from './cases.js';
import { gradientError } from './gradient-check.js';

describe('rules of differentiation', () => {
	it('have a case each', () => {
		expect(Object.keys(rules).filter((op) => !(op in cases))).toEqual([]);
	});

	for (const [op, uses] of Object.entries(cases))
		it(`${op}: gradients equal central differences`, async () => {
			for (const use of uses) for (const seed of [1, 2]) expect(await gradientError(use, seed)).toBeLessThanOrEqual(1);
		});

	it('undo every broadcast of two shapes', async () => {
		const dims = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 0, maxLength: 3 });
		await fc.assert(
			fc.asyncProperty(
				dims,
				fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
				fc.nat(3),
				fc.nat(3),
				async (shape, ones, cutA, cutB) => {
					const shapes = [cutA, cutB].map((cut, i) =>
						shape.map((dim, axis) => (ones[i * 3 + axis] ? 1 : dim)).slice(Math.min(cut, shape.length)),
					);
					for (const op of ['add', 'sub', 'mul', 'div'] as const)
						expect(await gradientError({ shapes, range: [0.5, 2], build: (g, [a, b]) => g[op](a!, b!) }, 7)).toBeLessThanOrEqual(1);
				},
			),
			{ numRuns: 15, seed: 1 },
		);
	});
});
