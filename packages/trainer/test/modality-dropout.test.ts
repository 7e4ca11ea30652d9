import { describe, expect, it } from 'vitest';
import { dropModalities } from '../src/step/modality-dropout.js';

const place = { seed: 1, stream: 3, step: 10 };
const ones = (rows: number): Float32Array => new Float32Array(rows * 3).fill(1);

describe('modality dropout', () => {
	it('leaves each modality out at about its rate, and never all of a row', () => {
		const present = ones(4000);
		dropModalities(present, 3, 0.3, 100, place);
		const out = present.filter((one) => one === 0).length / present.length;
		// a row that lost all gets one back: 0.3 − 0.3³/3, with a standard error of 0.004
		expect(Math.abs(out - (0.3 - 0.027 / 3))).toBeLessThan(0.02);
		for (let row = 0; row < 4000; row++) expect(present.subarray(row * 3, row * 3 + 3).includes(1)).toBe(true);
	});

	it('does not bring back what a row lacks', () => {
		const present = Float32Array.from({ length: 300 }, (_, i) => (i % 3 === 0 ? 0 : 1));
		dropModalities(present, 3, 0.5, 10, place);
		present.forEach((one, i) => expect(i % 3 === 0 ? [0] : [0, 1]).toContain(one));
		for (let row = 0; row < 100; row++) expect(present.subarray(row * 3, row * 3 + 3).includes(1)).toBe(true);
	});

	it('draws the same for a step whatever chunk it is in, and other rows in other steps', () => {
		const [whole, first, second] = [ones(20), ones(10), ones(10)];
		dropModalities(whole, 3, 0.5, 10, place);
		dropModalities(first, 3, 0.5, 10, place);
		dropModalities(second, 3, 0.5, 10, { ...place, step: 11 });
		expect([...whole]).toEqual([...first, ...second]);
		expect([...first]).not.toEqual([...second]);
	});

	it('does nothing to one modality, to none, and at rate 0', () => {
		for (const [modalities, rate] of [
			[1, 0.9],
			[3, 0],
		] as const) {
			const present = ones(5);
			dropModalities(present, modalities, rate, 5, place);
			expect([...present]).toEqual([...ones(5)]);
		}
		const none = new Float32Array(6);
		dropModalities(none, 3, 0.9, 2, place);
		expect([...none]).toEqual([0, 0, 0, 0, 0, 0]);
	});
});
