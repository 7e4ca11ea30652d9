import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { instanceDivergence, oracleSigma, residualSigma, type WeightingTask } from '../src/index.js';
import { fixture, largestError } from './fixture.js';

type DivergenceCase = {
	task: WeightingTask;
	classes: number;
	unimodal: number[];
	fused: number[];
	sigma?: { unimodal: number | number[]; fused: number | number[] };
	expected: number[];
};

const logits = (length: number) => fc.array(fc.double({ min: -1e4, max: 1e4, noNaN: true }), { minLength: length, maxLength: length });

describe('instanceDivergence', () => {
	for (const { unimodal, fused, expected, ...rest } of fixture<{ cases: DivergenceCase[] }>('divergence').cases) {
		const each = typeof rest.sigma?.unimodal === 'object';
		const named = each ? ' with σ of every instance' : rest.sigma ? ` with σ ${rest.sigma.unimodal} and ${rest.sigma.fused}` : '';
		const typed = (sigma: number | number[]) => (typeof sigma === 'number' ? sigma : Float64Array.from(sigma));
		const sigma = rest.sigma ? { sigma: { unimodal: typed(rest.sigma.unimodal), fused: typed(rest.sigma.fused) } } : {};
		it(`agrees with 60-digit arithmetic for ${rest.task} of ${rest.classes}${named}, also at logits of ±1e4`, () => {
			const { task, classes } = rest;
			const found = instanceDivergence({
				task,
				classes,
				unimodal: Float64Array.from(unimodal),
				fused: Float64Array.from(fused),
				...sigma,
			});
			expect(largestError(found, expected)).toBeLessThan(1e-9);
		});
	}

	it('is finite and not negative for every pair of outputs, and 0 for equal ones', () => {
		fc.assert(
			fc.property(fc.constantFrom<WeightingTask>('binary', 'multiclass', 'multilabel'), logits(12), logits(12), (task, a, b) => {
				const unimodal = Float32Array.from(a);
				const classes = task === 'binary' ? 2 : 3;
				const found = instanceDivergence({ task, classes, unimodal, fused: Float32Array.from(b) });
				expect(found.length).toBe(task === 'binary' ? 12 : 4);
				expect(found.every((d) => Number.isFinite(d) && d >= 0)).toBe(true);
				expect(instanceDivergence({ task, classes, unimodal, fused: unimodal }).every((d) => d === 0)).toBe(true);
			}),
		);
	});

	it('of one logit z equals that of the two classes (0, z)', () => {
		const a = [3, -2, 0.5, 1e4];
		const b = [-1, -2.5, 40, 9999];
		const pairs = (z: number[]) => Float64Array.from(z.flatMap((v) => [0, v]));
		const one = instanceDivergence({ task: 'binary', classes: 2, unimodal: Float64Array.from(a), fused: Float64Array.from(b) });
		const two = instanceDivergence({ task: 'multiclass', classes: 2, unimodal: pairs(a), fused: pairs(b) });
		expect(largestError(one, two)).toBeLessThan(1e-12);
	});

	it('leaves masked rows at 0 without looking at them', () => {
		const input = { task: 'binary', classes: 2, unimodal: Float32Array.of(NaN, 1), fused: Float32Array.of(0, 0) } as const;
		const found = instanceDivergence({ ...input, present: Uint8Array.of(0, 1) });
		expect(found[0]).toBe(0);
		expect(found[1]).toBeGreaterThan(0.1);
		expect(() => instanceDivergence(input)).toThrow(
			expect.objectContaining({ code: 'not_finite', message: expect.stringContaining('row 0') }),
		);
	});

	it('refuses lengths that do not fit, and a regression without sigma', () => {
		const three = new Float32Array(3);
		const shape = expect.objectContaining({ code: 'shape' });
		expect(() => instanceDivergence({ task: 'multiclass', classes: 2, unimodal: three, fused: three })).toThrow(shape);
		expect(() => instanceDivergence({ task: 'binary', classes: 2, unimodal: three, fused: new Float32Array(2) })).toThrow(shape);
		expect(() => instanceDivergence({ task: 'regression', classes: 1, unimodal: three, fused: three })).toThrow(
			expect.objectContaining({ code: 'configuration' }),
		);
		const sigma = { unimodal: 1, fused: new Float64Array(2) };
		expect(() => instanceDivergence({ task: 'regression', classes: 1, unimodal: three, fused: three, sigma })).toThrow(shape);
	});
});

describe('residualSigma', () => {
	it('is the root mean square of the residuals of the rows that are present', () => {
		const prediction = Float32Array.of(1, 2, 100);
		const target = Float32Array.of(4, 6, 0);
		expect(residualSigma(prediction, target, Uint8Array.of(1, 1, 0))).toBeCloseTo(Math.sqrt(12.5), 12);
	});

	it('is 1e-5 for a perfect model and for one without rows', () => {
		expect(residualSigma(Float32Array.of(1), Float32Array.of(1))).toBe(1e-5);
		expect(residualSigma(new Float32Array(0), new Float32Array(0))).toBe(1e-5);
	});
});

describe('oracleSigma', () => {
	it('is the distance of each prediction from its target, at least 1e-5', () => {
		expect([...oracleSigma(Float64Array.of(1, 2, 3), Float64Array.of(3, 1.5, 3))]).toEqual([2, 0.5, 1e-5]);
		expect(() => oracleSigma(new Float64Array(2), new Float64Array(3))).toThrow(expect.objectContaining({ code: 'shape' }));
	});
});
