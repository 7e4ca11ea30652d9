import { gaussianNoise } from './gaussian-noise.js';
import { kthNeighbours } from './nearest-neighbour.js';
import type { Reals } from './task.js';
import { expectLength, WeightingError } from './weighting-error.js';

const EULER_MASCHERONI = 0.5772156649015329;

export type KsgOptions = {
	/** Neighbours; 3 unless given. Fewer: less bias, more variance. */
	readonly k?: number;
	/** Of the noise that breaks ties; 0 unless given. */
	readonly seed?: number;
	/** Standard normal noise to use in place of the seeded one. */
	readonly noise?: KsgNoise;
};

/** N values for each variable. */
export type KsgNoise = {
	readonly x: Float64Array;
	readonly y: Float64Array;
};

/**
 * Mutual information of two continuous variables in nats, at least 0, by the first estimator of Kraskov, Stögbauer and Grassberger 2004 (eq. 8), in
 * the form of scikit-learn's `mutual_info_regression`:
 *
 * I = ψ(N) + ψ(k) − mean_i[ψ(nx_i + 1) + ψ(ny_i + 1)], where ε_i is the distance from point i to its k-th nearest neighbour under the maximum norm, and
 * nx_i (ny_i) counts the other points strictly nearer than ε_i along x (y) alone. Before that each variable is divided by its standard deviation
 * (ddof 0) and gets 1e-10·max(1, mean|x|) of normal noise, which breaks ties.
 *
 * 0 where nothing can be estimated: N ≤ k, or a variable that is constant. O(N log N).
 *
 * @param x `[N]`
 * @param y `[N]`
 * @throws WeightingError `shape`, `not_finite`, or `configuration` where k is not a positive integer
 */
export function mutualInformationKsg(x: Reals, y: Reals, options: KsgOptions = {}): number {
	const { k = 3, seed = 0 } = options;
	const count = x.length;
	if (!Number.isInteger(k) || k < 1) throw new WeightingError('configuration', `k: expected an integer of at least 1, found ${k}`);
	expectLength('second variable', count, y.length);
	expectFinite('first variable', x);
	expectFinite('second variable', y);
	if (count <= k || isConstant(x) || isConstant(y)) return 0;

	const noise = options.noise ?? ksgNoise(count, seed);
	const u = standardised(x, noise.x);
	const v = standardised(y, noise.y);
	const near = kthNeighbours(u, v, k);
	const psi = digammaOfIntegers(count);
	const sum = sumOfDigammas(near.x, near.radius, psi) + sumOfDigammas(near.y, near.radius, psi);
	return Math.max(0, psi[count]! + psi[k]! - sum / count);
}

/** The noise that breaks the ties of two variables of N values each. */
export function ksgNoise(count: number, seed: number): KsgNoise {
	return { x: gaussianNoise(count, seed, 0), y: gaussianNoise(count, seed, 1) };
}

function expectFinite(what: string, values: Reals): void {
	for (let i = 0; i < values.length; i++) {
		if (!Number.isFinite(values[i]))
			throw new WeightingError('not_finite', `${what}, row ${i}: expected a finite number, found ${values[i]}`);
	}
}

function isConstant(values: Reals): boolean {
	return values.every((value) => value === values[0]);
}

function standardised(values: Reals, noise: Float64Array): Float64Array {
	const count = values.length;
	expectLength('noise', count, noise.length);
	let mean = 0;
	for (let i = 0; i < count; i++) mean += values[i]! / count;
	let variance = 0;
	for (let i = 0; i < count; i++) variance += (values[i]! - mean) ** 2 / count;
	const deviation = Math.sqrt(variance);
	// A spread of mere rounding is not blown up to unit variance (the bound is scikit-learn's).
	const scale = deviation < 10 * Number.EPSILON ? 1 : deviation;
	const scaled = new Float64Array(count);
	let magnitude = 0;
	for (let i = 0; i < count; i++) {
		scaled[i] = values[i]! / scale;
		magnitude += Math.abs(scaled[i]!) / count;
	}
	const amplitude = 1e-10 * Math.max(1, magnitude);
	for (let i = 0; i < count; i++) scaled[i]! += amplitude * noise[i]!;
	return scaled;
}

/** ψ(n) for n = 0 … N: ψ(1) = −γ, ψ(n+1) = ψ(n) + 1/n; the entry at 0 is not used. */
function digammaOfIntegers(count: number): Float64Array {
	const psi = new Float64Array(count + 1);
	psi[1] = -EULER_MASCHERONI;
	for (let n = 1; n < count; n++) psi[n + 1] = psi[n]! + 1 / n;
	return psi;
}

/**
 * Σ_i ψ(n_i + 1), where n_i + 1 counts the points within radius[i] of values[i], itself among them. Within means strictly nearer; only where the radius
 * is 0 (points that coincide even after the noise) does a distance of 0 still count.
 */
function sumOfDigammas(values: Float64Array, radius: Float64Array, psi: Float64Array): number {
	const sorted = values.slice().sort();
	const count = values.length;
	const { bucketOf, first } = buckets(sorted);
	let sum = 0;
	for (let i = 0; i < count; i++) {
		const value = values[i]!;
		const r = radius[i]! || Number.MIN_VALUE;
		// Each end is looked for in the bucket of value ∓ r and those beside it: rounding moves it by less than a bucket, or past no value.
		const low = bucketOf(value - r);
		let lo = first[Math.max(0, low - 1)]!;
		let hi = first[Math.min(count, low + 2)]!;
		while (lo < hi) {
			const middle = (lo + hi) >> 1;
			if (value - sorted[middle]! < r) hi = middle;
			else lo = middle + 1;
		}
		const from = lo;
		const high = bucketOf(value + r);
		lo = first[Math.max(0, high - 1)]!;
		hi = first[Math.min(count, high + 2)]!;
		while (lo < hi) {
			const middle = (lo + hi) >> 1;
			if (sorted[middle]! - value < r) lo = middle + 1;
			else hi = middle;
		}
		sum += psi[lo - from]!;
	}
	return sum;
}

/** Sorted values in as many equally wide buckets: where each begins, and the count of all behind the last. */
function buckets(sorted: Float64Array): { readonly bucketOf: (value: number) => number; readonly first: Int32Array } {
	const count = sorted.length;
	const lowest = sorted[0]!;
	const fine = count / (sorted[count - 1]! - lowest);
	const scale = Number.isFinite(fine) ? fine : 0; // all in one
	const bucketOf = (value: number): number => Math.min(count - 1, Math.max(0, Math.floor((value - lowest) * scale)));
	const first = new Int32Array(count + 1);
	for (let i = count - 1, bucket = count; i >= -1; i--) {
		const next = i < 0 ? -1 : bucketOf(sorted[i]!);
		while (bucket > next) first[bucket--] = i + 1;
	}
	return { bucketOf, first };
}
