// Means over seeds with intervals by Student's t, paired differences, and Holm's correction. No approximation by the normal: five seeds are few.

const LANCZOS = [76.18009172947146, -86.50532032941678, 24.01409824083091, -1.231739572450155, 0.1208650973866179e-2, -0.5395239384953e-5];

/** ln Γ(x) for x > 0, to 1e-10 (Lanczos 1964). */
function logGamma(/** @type {number} */ x) {
	const series = LANCZOS.reduce((sum, c, i) => sum + c / (x + 1 + i), 1.000000000190015);
	return (x + 0.5) * Math.log(x + 5.5) - (x + 5.5) + Math.log((Math.sqrt(2 * Math.PI) * series) / x);
}

/** Continued fraction of the incomplete beta function, by Lentz's method (DLMF 8.17.22). */
function betaFraction(/** @type {number} */ x, /** @type {number} */ a, /** @type {number} */ b) {
	const tiny = 1e-300;
	const nonzero = (/** @type {number} */ value) => (Math.abs(value) < tiny ? tiny : value);
	let c = 1;
	let d = 1 / nonzero(1 - ((a + b) * x) / (a + 1));
	let fraction = d;
	for (let m = 1; m <= 500; m++) {
		for (const term of [
			(m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m)),
			(-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1)),
		]) {
			d = 1 / nonzero(1 + term * d);
			c = nonzero(1 + term / c);
			fraction *= c * d;
		}
		if (Math.abs(c * d - 1) < 1e-15) break;
	}
	return fraction;
}

/** Regularised incomplete beta function I_x(a, b), 0 ≤ x ≤ 1. */
function incompleteBeta(/** @type {number} */ x, /** @type {number} */ a, /** @type {number} */ b) {
	if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1;
	const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
	return x < (a + 1) / (a + b + 2) ? (front * betaFraction(x, a, b)) / a : 1 - (front * betaFraction(1 - x, b, a)) / b;
}

/**
 * Probability that |T| exceeds |t|, T of Student's distribution.
 * @param {number} t
 * @param {number} df degrees of freedom, at least 1
 */
export const twoSided = (t, df) => (Number.isFinite(t) ? incompleteBeta(df / (df + t * t), df / 2, 0.5) : 0);

/**
 * The t that |T| exceeds with probability 1 − level.
 * @param {number} level such as 0.95
 * @param {number} df
 */
export function criticalT(level, df) {
	let [low, high] = [0, 1e6];
	for (let i = 0; i < 200; i++) {
		const middle = (low + high) / 2;
		if (twoSided(middle, df) > 1 - level) low = middle;
		else high = middle;
	}
	return (low + high) / 2;
}

/**
 * @typedef {object} Interval
 * @property {number} n
 * @property {number} mean
 * @property {number} half half the width of the 95 % interval; NaN for one value
 */

/**
 * Mean and its 95 % interval.
 * @param {readonly number[]} values at least one
 * @returns {Interval}
 */
export function meanInterval(values) {
	const n = values.length;
	const mean = values.reduce((sum, value) => sum + value, 0) / n;
	if (n < 2) return { n, mean, half: Number.NaN };
	const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1));
	return { n, mean, half: (criticalT(0.95, n - 1) * deviation) / Math.sqrt(n) };
}

/** @typedef {Interval & {p: number, verdict: 'better' | 'worse' | 'same'}} Gain */

/** Differences below this are rounding, not a difference: results are kept to six digits. */
const ROUNDING = 1e-9;

/**
 * How much better one method is than another, seed by seed: positive is better, whatever the metric's direction.
 * `better` and `worse` where the 95 % interval of the mean difference leaves 0 out; `p` is that of the paired t test.
 * @param {ReadonlyMap<number, number>} method seed → value
 * @param {ReadonlyMap<number, number>} reference
 * @param {boolean} higherIsBetter
 * @returns {Gain | null} null with fewer than two seeds in common
 */
export function pairedGain(method, reference, higherIsBetter) {
	const gains = [...method].flatMap(([seed, value]) => {
		const other = reference.get(seed);
		return other === undefined ? [] : [higherIsBetter ? value - other : other - value];
	});
	if (gains.length < 2) return null;
	const { n, mean, half } = meanInterval(gains);
	if (Math.abs(mean) < ROUNDING) return { n, mean: 0, half, p: 1, verdict: 'same' };
	const p = half === 0 ? 0 : twoSided((mean / half) * criticalT(0.95, n - 1), n - 1);
	return { n, mean, half, p, verdict: Math.abs(mean) <= half ? 'same' : mean > 0 ? 'better' : 'worse' };
}

/**
 * Holm's step-down correction: which of several tests still reject when all of them together may err with probability `level`.
 * @param {readonly number[]} ps
 * @param {number} [level]
 * @returns {boolean[]}
 */
export function holm(ps, level = 0.05) {
	const order = ps.map((_, i) => i).sort((a, b) => ps[a] - ps[b]);
	const rejected = ps.map(() => false);
	for (const [rank, i] of order.entries()) {
		if (ps[i] > level / (ps.length - rank)) break;
		rejected[i] = true;
	}
	return rejected;
}
