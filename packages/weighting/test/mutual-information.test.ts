import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { modalityInformation, mutualInformationArgmax, mutualInformationKsg, type WeightingTask } from '../src/index.js';
import { kthNeighbours } from '../src/nearest-neighbour.js';
import { fixture, hashed, largestError, normals } from './fixture.js';

type InformationFixture = {
	ksg: { name: string; k: number; expected: number; x?: number[]; y?: number[]; noise?: { x: number[]; y: number[] } }[];
	large: { count: number; k: number; expected: number }[];
	argmax: { a: number[]; b: number[]; classes: number; expected: number }[];
	outputs: { task: WeightingTask; classes: number; unimodal: number[][]; fused: number[]; present: number[][]; expected: number[] }[];
};
const { ksg, large, argmax, outputs } = fixture<InformationFixture>('information');

/** The estimator without noise, by the distances of all pairs; its variables are scaled to unit variance as scikit-learn does. */
function allPairs(x: Float64Array, y: Float64Array, k: number): number {
	const count = x.length;
	const scaled = (values: Float64Array): number[] => {
		const mean = values.reduce((sum, v) => sum + v / count, 0);
		const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2 / count, 0));
		return Array.from(values, (v) => v / (deviation < 10 * Number.EPSILON ? 1 : deviation));
	};
	if (new Set(x).size === 1 || new Set(y).size === 1) return 0;
	const psi = (n: number): number => {
		let sum = -0.5772156649015329;
		for (let j = 1; j < n; j++) sum += 1 / j;
		return sum;
	};
	const [u, v] = [scaled(x), scaled(y)];
	let sum = 0;
	for (let i = 0; i < count; i++) {
		const along = (values: number[]): number[] => values.map((value) => Math.abs(value - values[i]!));
		const [dx, dy] = [along(u), along(v)];
		const distances = dx.map((d, j) => Math.max(d, dy[j]!));
		const radius = distances.filter((_, j) => j !== i).sort((a, b) => a - b)[k - 1]! || Number.MIN_VALUE;
		for (const d of [dx, dy]) sum += psi(d.filter((value) => value < radius).length);
	}
	return Math.max(0, psi(count) + psi(k) - sum / count);
}

describe('mutualInformationKsg', () => {
	for (const { name, k, expected } of ksg) {
		it(`agrees with mutual_info_regression on ${name}, k = ${k}`, () => {
			const sample = ksg.find((other) => other.name === name && other.x)!;
			const noise = { x: Float64Array.from(sample.noise!.x), y: Float64Array.from(sample.noise!.y) };
			const found = mutualInformationKsg(Float64Array.from(sample.x!), Float64Array.from(sample.y!), { k, noise });
			expect(Math.abs(found - expected)).toBeLessThan(1e-9);
		});
	}

	for (const { count, k, expected } of large) {
		it(`agrees with scikit-learn on ${count} rows`, () => {
			const x = hashed(count, 1);
			const v = hashed(count, 2);
			const noise = { x: hashed(count, 3).map((n) => n - 0.5), y: hashed(count, 4).map((n) => n - 0.5) };
			const found = mutualInformationKsg(
				x,
				x.map((u, i) => u + v[i]! * v[i]!),
				{ k, noise },
			);
			expect(Math.abs(found - expected)).toBeLessThan(1e-9);
		});
	}

	for (const rho of [0, 0.5, 0.9, 0.99]) {
		it(`finds −½ ln(1 − ρ²) of normal variables of correlation ${rho}`, () => {
			const a = normals(8000, 1);
			const b = normals(8000, 2).map((e, i) => rho * a[i]! + Math.sqrt(1 - rho * rho) * e);
			// The standard deviation of the estimate is about 0.01 here, and its bias smaller (Kraskov et al. 2004, fig. 4).
			expect(Math.abs(mutualInformationKsg(a, b) + 0.5 * Math.log(1 - rho * rho))).toBeLessThan(0.04);
		});
	}

	it('works on 200,000 rows, also when most of them are tied', () => {
		const a = normals(200_000, 3);
		const b = normals(200_000, 4).map((e, i) => 0.8 * a[i]! + 0.6 * e);
		expect(Math.abs(mutualInformationKsg(a, b) + 0.5 * Math.log(0.36))).toBeLessThan(0.02);
		const saturated = (values: Float64Array) => values.map((v) => (v > -1 ? 1 : v));
		expect(mutualInformationKsg(saturated(a), saturated(b))).toBeGreaterThan(0.05);
	});

	it('counts what a search through all pairs counts, with ties, outliers and values that differ by their last bit', () => {
		const coordinate = fc.oneof(
			fc.integer({ min: 0, max: 4 }),
			fc.double({ min: -1, max: 1, noNaN: true }),
			fc.constantFrom(1e9, -1e9, 2 ** 52 + 1, 2 ** 52 + 2, 2 ** 52 + 3),
		);
		const points = fc.array(fc.tuple(coordinate, coordinate), { minLength: 5, maxLength: 60 });
		const offset = fc.constantFrom(0, 2 ** 52);
		fc.assert(
			fc.property(points, offset, (sample, far) => {
				const x = Float64Array.from(sample, (p) => p[0] + far);
				const y = Float64Array.from(sample, (p) => p[1]);
				const noise = { x: new Float64Array(x.length), y: new Float64Array(x.length) };
				expect(Math.abs(mutualInformationKsg(x, y, { noise }) - allPairs(x, y, 3))).toBeLessThan(1e-12);
			}),
			{ numRuns: 200 },
		);
	});

	it('is 0 for constant variables, for N ≤ k and for N = 1', () => {
		const a = normals(50, 5);
		expect(mutualInformationKsg(a, new Float64Array(50).fill(7))).toBe(0);
		expect(mutualInformationKsg(new Float64Array(50), a)).toBe(0);
		expect(mutualInformationKsg(a.slice(0, 3), a.slice(0, 3))).toBe(0);
		expect(mutualInformationKsg(a.slice(0, 1), a.slice(0, 1))).toBe(0);
		expect(mutualInformationKsg(new Float64Array(0), new Float64Array(0))).toBe(0);
	});

	it('repeats its bits for one seed, and changes little with another', () => {
		const spread = normals(500, 6);
		const tied = normals(500, 7).map((v, i) => Math.round(v + spread[i]!));
		for (const [x, y] of [
			[spread, tied],
			[tied, spread],
		] as const) {
			const first = mutualInformationKsg(x, y, { seed: 1 });
			expect(mutualInformationKsg(x, y, { seed: 1 })).toBe(first);
			const second = mutualInformationKsg(x, y, { seed: 2 });
			expect(second).not.toBe(first);
			expect(Math.abs(second - first)).toBeLessThan(0.1);
		}
	});

	it('does not depend on the order of the rows', () => {
		const [x, y, nx, ny] = [1, 2, 3, 4].map((stream) => normals(300, stream)) as [Float64Array, Float64Array, Float64Array, Float64Array];
		const reversed = (v: Float64Array) => v.slice().reverse();
		const found = mutualInformationKsg(reversed(x), reversed(y), { noise: { x: reversed(nx), y: reversed(ny) } });
		expect(Math.abs(found - mutualInformationKsg(x, y, { noise: { x: nx, y: ny } }))).toBeLessThan(1e-12);
	});

	it('names the row that is not finite', () => {
		expect(() => mutualInformationKsg(Float64Array.of(1, 2, NaN, 3), new Float64Array(4))).toThrow(/first variable, row 2/);
	});
});

describe('kthNeighbours', () => {
	it('finds what a search through all pairs finds, however many points coincide', () => {
		const coordinate = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.double({ min: -2, max: 2, noNaN: true }));
		const points = fc.array(fc.tuple(coordinate, coordinate), { minLength: 6, maxLength: 150 });
		fc.assert(
			fc.property(points, fc.integer({ min: 1, max: 5 }), (sample, k) => {
				const found = kthNeighbours(
					Float64Array.from(sample, (p) => p[0]),
					Float64Array.from(sample, (p) => p[1]),
					k,
				);
				for (let i = 0; i < sample.length; i++) {
					const distances = Array.from(found.x, (x, j) => Math.max(Math.abs(x - found.x[i]!), Math.abs(found.y[j]! - found.y[i]!)));
					distances.splice(i, 1);
					expect(found.radius[i]).toBe(distances.sort((a, b) => a - b)[k - 1]);
				}
				const key = (x: number, y: number) => `${x + 0} ${y + 0}`;
				expect(Array.from(found.x, (x, i) => key(x, found.y[i]!)).sort()).toEqual(sample.map(([x, y]) => key(x, y)).sort());
			}),
		);
	});
});

describe('mutualInformationArgmax', () => {
	it('agrees with mutual_info_score', () => {
		for (const { a, b, classes, expected } of argmax) {
			expect(Math.abs(mutualInformationArgmax(Int32Array.from(a), Int32Array.from(b), classes) - expected)).toBeLessThan(1e-12);
		}
	});

	it('is 0 where only one class is predicted, and the entropy for equal labels', () => {
		expect(mutualInformationArgmax(new Int32Array(9), new Int32Array(9), 1)).toBe(0);
		expect(mutualInformationArgmax(new Int32Array(2), Int32Array.of(0, 1), 2)).toBe(0);
		const labels = Int32Array.of(0, 1, 2, 3);
		expect(mutualInformationArgmax(labels, labels, 4)).toBeCloseTo(Math.log(4), 12);
	});

	it('refuses a label outside the classes', () => {
		expect(() => mutualInformationArgmax(Int32Array.of(0, 2), Int32Array.of(0, 1), 2)).toThrow(/row 1/);
	});
});

describe('modalityInformation', () => {
	const rows = 400;
	const fused = normals(rows, 10);
	const near = normals(rows, 11).map((e, i) => fused[i]! + 0.2 * e);
	const far = normals(rows, 12);
	const pairs = (z: Float64Array) => Float64Array.from({ length: 2 * z.length }, (_, i) => (i % 2 === 0 ? 0 : z[i >> 1]!));

	for (const { task, classes, expected, ...columns } of outputs) {
		it(`agrees with mutual_info_regression on the outputs of a ${task} task of ${classes}, over the rows that a modality has`, () => {
			const unimodal = columns.unimodal.map((output) => Float64Array.from(output));
			const present = columns.present.map((mask) => Uint8Array.from(mask));
			const input = { task, classes, unimodal, present, fused: Float64Array.from(columns.fused), estimator: 'ksg', seed: 1 } as const;
			// The outputs have no ties, so that the noise of another seed changes no count.
			expect(largestError(modalityInformation(input), expected)).toBeLessThan(1e-9);
		});
	}

	it('ranks a modality that agrees with the fused model above one that does not, for every task', () => {
		for (const estimator of ['ksg', 'argmax'] as const) {
			for (const task of ['binary', 'multilabel'] as const) {
				const [a, b] = modalityInformation({ task, classes: 1, unimodal: [near, far], fused, estimator, seed: 1 });
				expect(a).toBeGreaterThan(b! + 0.2);
			}
		}
		const [a, b] = modalityInformation({ task: 'regression', classes: 1, unimodal: [near, far], fused, estimator: 'ksg', seed: 1 });
		expect(a).toBeGreaterThan(b! + 1);
	});

	it('gives one logit and the two classes (0, z) the same information', () => {
		for (const estimator of ['ksg', 'argmax'] as const) {
			const one = modalityInformation({ task: 'binary', classes: 2, unimodal: [near, far], fused, estimator, seed: 1 });
			const unimodal = [pairs(near), pairs(far)];
			const two = modalityInformation({ task: 'multiclass', classes: 2, unimodal, fused: pairs(fused), estimator, seed: 1 });
			for (let m = 0; m < 2; m++) expect(Math.abs(one[m]! - two[m]!)).toBeLessThan(1e-9);
		}
	});

	it('does not depend on the order of the modalities, nor on rows that a modality lacks', () => {
		const input = { task: 'regression', classes: 1, estimator: 'ksg', seed: 3 } as const;
		const mask = Uint8Array.from({ length: rows }, (_, i) => (i < 300 ? 1 : 0));
		const spoilt = far.map((v, i) => (i < 300 ? v : 1e6));
		const [a, b] = modalityInformation({ ...input, fused, unimodal: [near, spoilt], present: [null, mask] });
		const [c, d] = modalityInformation({ ...input, fused, unimodal: [spoilt, near], present: [mask, null] });
		expect([c, d]).toEqual([b, a]);
		expect(modalityInformation({ ...input, fused: fused.slice(0, 300), unimodal: [far.slice(0, 300)] })[0]).toBe(b);
	});

	it('is 1e-5 for constant outputs, extreme logits, one row, one class, and a modality that no row has', () => {
		const flat = new Float64Array(rows);
		const floor = (unimodal: Float64Array, other: Float64Array, extra = {}) =>
			modalityInformation({ task: 'binary', classes: 2, unimodal: [unimodal], fused: other, estimator: 'ksg', seed: 1, ...extra })[0];
		expect(floor(flat, fused)).toBe(1e-5);
		expect(floor(flat.slice().fill(1e4), flat.slice().fill(-1e4))).toBe(1e-5);
		expect(floor(fused.slice(0, 1), fused.slice(0, 1))).toBe(1e-5);
		expect(floor(fused, fused, { task: 'multiclass', classes: 1 })).toBe(1e-5);
		expect(floor(fused, fused, { present: [new Uint8Array(rows)] })).toBe(1e-5);
		expect(floor(flat, flat, { estimator: 'argmax' })).toBe(1e-5);
	});

	it('refuses argmax for a regression', () => {
		expect(() => modalityInformation({ task: 'regression', classes: 1, unimodal: [near], fused, estimator: 'argmax', seed: 1 })).toThrow(
			expect.objectContaining({ code: 'configuration' }),
		);
	});
});
