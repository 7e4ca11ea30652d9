import { describe, expect, it } from 'vitest';
import { adaptSmoothing, smooth } from '../src/index.js';

describe('smooth', () => {
	it('moves the share s of the way from old to fresh, and leaves its inputs alone', () => {
		const old = Float32Array.of(1, 1, 0);
		expect([...smooth(old, Float32Array.of(2, 0, 0), 0.25)]).toEqual([1.25, 0.75, 0]);
		expect([...old]).toEqual([1, 1, 0]);
		expect([...smooth(old, Float32Array.of(3, 4, 5), 1)]).toEqual([3, 4, 5]);
		expect([...smooth(old, Float32Array.of(3, 4, 5), 0)]).toEqual([1, 1, 0]);
	});

	it('refuses tables of different size', () => {
		expect(() => smooth(new Float32Array(2), new Float32Array(3), 0.5)).toThrow(expect.objectContaining({ code: 'shape' }));
	});
});

describe('adaptSmoothing', () => {
	const worse = { step: 0.05, adapt: 'raise-on-worse' } as const;
	const better = { step: 0.05, adapt: 'raise-on-better' } as const;

	it('rises or falls by one step on the change of the validation loss', () => {
		expect(adaptSmoothing(0.5, 1, 2, worse)).toBeCloseTo(0.55, 12);
		expect(adaptSmoothing(0.5, 2, 1, worse)).toBeCloseTo(0.45, 12);
		expect(adaptSmoothing(0.5, 1, 2, better)).toBeCloseTo(0.45, 12);
		expect(adaptSmoothing(0.5, 2, 1, better)).toBeCloseTo(0.55, 12);
	});

	it('stays within [0, 1]', () => {
		expect(adaptSmoothing(0.98, 1, 2, worse)).toBe(1);
		expect(adaptSmoothing(0.02, 2, 1, worse)).toBe(0);
	});

	it('stays where it is when off, at the first loss, and for equal losses or NaN', () => {
		expect(adaptSmoothing(0.5, 1, 2, { step: 0.05, adapt: 'off' })).toBe(0.5);
		expect(adaptSmoothing(0.5, null, 2, worse)).toBe(0.5);
		expect(adaptSmoothing(0.5, 2, 2, worse)).toBe(0.5);
		expect(adaptSmoothing(0.5, 2, NaN, worse)).toBe(0.5);
	});
});
