import { composites, expansions } from '@steelyard/onnx';
import { describe, expect, it } from 'vitest';
import { zeros } from '../src/index.js';
import { compositeCases } from './cases/composites.js';
import { gradientError } from './gradient-check.js';

describe('operators that are written as others', () => {
	it('have a case each', () => {
		expect(Object.keys(composites).filter((op) => !(op in compositeCases))).toEqual([]);
	});

	for (const [op, uses] of Object.entries(compositeCases))
		it(`${op}: gradients equal central differences of the operator itself`, async () => {
			for (const [i, use] of uses.entries())
				for (const seed of [1, 2]) expect(await gradientError(use, seed), `case ${i}, seed ${seed}`).toBeLessThanOrEqual(1);
		});

	it.each(Object.keys(compositeCases).filter((op) => !(op in zeros)))('%s: a wrong sign is told', async (op) => {
		const table = expansions as Record<string, (typeof expansions)[string]>;
		const right = table[op]!;
		table[op] = (context) => right(context)?.map((value) => value && context.g.neg(value)) ?? null;
		try {
			for (const [i, use] of compositeCases[op]!.entries()) expect(await gradientError(use, 1), `case ${i}`).toBeGreaterThan(1);
		} finally {
			table[op] = right;
		}
	});
});
