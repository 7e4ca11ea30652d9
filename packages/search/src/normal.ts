/** Below this the series of erf takes few terms; above, the fraction of its complement does. */
const NEAR = 2.5;
/** Levels of the continued fraction; from NEAR on as many as float64 can tell. */
const LEVELS = 60;
/** An interval so narrow, in standard deviations, has the mass of its width times the density in its middle, to 1 part in 10¹⁰ within 40 of them. */
const NARROW = 1e-6;

/** ln √(2π). */
export const LOG_ROOT_2PI = 0.5 * Math.log(2 * Math.PI);

/** The error function of 0 ≤ x: 2/√π e^(−x²) Σ 2ⁿ x^(2n+1) / (1·3·5 … (2n+1)), whose terms are all positive (Abramowitz and Stegun 7.1.6). */
function erf(x: number): number {
	if (x > NEAR) return 1 - Math.exp(logErfc(x));
	let term = x;
	let sum = x;
	for (let n = 1; term > sum * 1e-17; n++) {
		term *= (2 * x * x) / (2 * n + 1);
		sum += term;
	}
	return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** ln(1 − erf(x)) of 0 ≤ x: e^(−x²)/√π · 1/(x + ½/(x + 1/(x + 3⁄2/(x + …)))) far out (Abramowitz and Stegun 7.1.14). */
function logErfc(x: number): number {
	if (x <= NEAR) return Math.log1p(-erf(x));
	let fraction = x;
	for (let level = LEVELS; level > 0; level--) fraction = x + level / 2 / fraction;
	return -x * x - 0.5 * Math.log(Math.PI) - Math.log(fraction);
}

/** The logarithm of the mass that the standard normal distribution has between a and b, a < b. */
export function logNormalMass(a: number, b: number): number {
	if (b - a < NARROW) return -0.5 * ((a + b) / 2) ** 2 - LOG_ROOT_2PI + Math.log(b - a);
	if (b <= 0) return logNormalMass(-b, -a);
	if (a < 0) return Math.log((erf(b * Math.SQRT1_2) + erf(-a * Math.SQRT1_2)) / 2);
	const near = logErfc(a * Math.SQRT1_2);
	return near + Math.log1p(-Math.exp(logErfc(b * Math.SQRT1_2) - near)) - Math.LN2;
}
