import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Rule, rules } from '../src/index.js';
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

	// Two wrong signs make a right one: the checker itself multiplies once more, and ends in an Identity, which differentiate.test.ts sees. A Loop is a Scan by
	// the time that it is differentiated.
	const unseen = ['Identity', 'Mul', 'Loop'];
	it.each(Object.keys(rules).filter((op) => !unseen.includes(op)))('%s: a wrong sign is told', async (op) => {
		const table = rules as Record<string, Rule>;
		const right = table[op]!;
		table[op] = (context) => right(context).map((gradient) => gradient && context.g.neg(gradient));
		try {
			const errors = [];
			for (const use of cases[op]!) errors.push(await gradientError(use, 1).catch(() => Number.POSITIVE_INFINITY));
			expect(Math.max(...errors.map((error) => (Number.isNaN(error) ? Number.POSITIVE_INFINITY : error)))).toBeGreaterThan(1);
		} finally {
			table[op] = right;
		}
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
