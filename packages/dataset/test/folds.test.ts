import { describe, expect, it } from 'vitest';
import type { Split } from '../src/dataset.js';
import { foldsOf } from '../src/folds.js';

const split = (labels: Int32Array | Float32Array, groups: Int32Array | null = null, rows = labels.length): Split => ({
	name: 'train',
	rows,
	labels,
	groups,
	shape: () => [1],
	dtype: () => 'float32',
	mask: () => null,
	gather: () => {},
	readAhead: () => {},
});
const all = (n: number): Uint32Array => Uint32Array.from({ length: n }, (_, i) => i);
const sizesOf = (fold: Uint8Array, folds: number): number[] =>
	Array.from({ length: folds }, (_, f) => fold.reduce((count, one) => count + (one === f ? 1 : 0), 0));

describe('folds', () => {
	it('are of equal size and hold each class alike, to one row', () => {
		const labels = Int32Array.from({ length: 103 }, (_, i) => (i % 10 === 0 ? 1 : 0));
		const fold = foldsOf(split(labels), all(103), 5, 1);
		const sizes = sizesOf(fold, 5);
		expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
		const rare = sizesOf(
			fold.filter((_, i) => labels[i] === 1),
			5,
		);
		expect(Math.max(...rare) - Math.min(...rare)).toBeLessThanOrEqual(1);
	});

	it('keep groups whole', () => {
		const groups = Int32Array.from({ length: 200 }, (_, i) => Math.floor(i / 9));
		const fold = foldsOf(split(new Float32Array(200), groups), all(200), 4, 1);
		groups.forEach((group, i) => expect(fold[i]).toBe(fold[groups.indexOf(group)]));
		expect(Math.max(...sizesOf(fold, 4)) - Math.min(...sizesOf(fold, 4))).toBeLessThanOrEqual(9);
	});

	it('hold each label of a multilabel split alike, also of a part of it and with groups', () => {
		const flags = Array.from({ length: 300 }, (_, i) => [i % 2, i % 30 === 0 ? 1 : 0, i % 7 < 2 ? 1 : 0]);
		const labels = Float32Array.from(flags.flat());
		for (const rows of [all(300), Uint32Array.from({ length: 150 }, (_, i) => 299 - 2 * i)]) {
			const fold = foldsOf(split(labels, null, 300), rows, 5, 1);
			const sizes = sizesOf(fold, 5);
			expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(3);
			for (const label of [0, 1, 2]) {
				const own = sizesOf(
					fold.filter((_, i) => flags[rows[i]!]![label] === 1),
					5,
				);
				expect(Math.max(...own) - Math.min(...own), `label ${label}`).toBeLessThanOrEqual(label === 1 ? 1 : 3);
			}
		}
		const groups = Int32Array.from({ length: 300 }, (_, i) => Math.floor(i / 5));
		const grouped = foldsOf(split(labels, groups, 300), all(300), 5, 1);
		groups.forEach((group, i) => expect(grouped[i]).toBe(grouped[groups.indexOf(group)]));
		expect(
			sizesOf(
				grouped.filter((_, i) => flags[i]![1] === 1),
				5,
			),
		).toEqual([2, 2, 2, 2, 2]);
	});

	it('depend on the seed and on nothing else', () => {
		const one = split(new Int32Array(50));
		expect(foldsOf(one, all(50), 5, 1)).toEqual(foldsOf(one, all(50), 5, 1));
		expect(foldsOf(one, all(50), 5, 1)).not.toEqual(foldsOf(one, all(50), 5, 2));
	});

	it('are told of rows of a part of the split', () => {
		const labels = Int32Array.from({ length: 40 }, (_, i) => (i < 20 ? 0 : 1));
		const fold = foldsOf(
			split(labels),
			Uint32Array.from({ length: 20 }, (_, i) => 2 * i),
			2,
			1,
		);
		expect(fold).toHaveLength(20);
		expect(sizesOf(fold, 2)).toEqual([10, 10]);
	});

	it('are refused where there are too few rows or groups', () => {
		expect(() => foldsOf(split(new Int32Array(4)), all(4), 5, 1)).toThrow('expected at least 5 rows to cut into 5 folds, found 4');
		expect(() => foldsOf(split(new Int32Array(9), new Int32Array(9)), all(9), 2, 1)).toThrow('expected at least 2 groups');
	});
});
