/** The other framework's own distance from float64 up to a step, times this, is what another order of summation may come to, since training makes any difference grow; and some roundings of the loss itself. */
const SHARE = 10;
const ROUNDINGS = 2e-6;

/**
 * Where a curve of losses is furthest from another one, in shares of the tolerance: it follows when that is at most 1.
 *
 * @param {readonly number[]} found
 * @param {readonly number[]} expected in float32
 * @param {readonly number[]} exact in float64
 */
export function furthest(found, expected, exact) {
	let rounding = 0;
	let worst = { share: 0, step: 0 };
	for (const [at, loss] of expected.entries()) {
		rounding = Math.max(rounding, Math.abs(loss - (exact[at] ?? NaN)));
		const share = Math.abs((found[at] ?? NaN) - loss) / (SHARE * rounding + ROUNDINGS * (1 + Math.abs(loss)));
		if (!(share <= worst.share)) worst = { share, step: at };
	}
	return worst;
}

/** The largest relative difference of two curves. */
export const relativeDifference = (/** @type {readonly number[]} */ found, /** @type {readonly number[]} */ expected) =>
	Math.max(...expected.map((loss, at) => Math.abs((found[at] ?? NaN) - loss) / Math.abs(loss)));
