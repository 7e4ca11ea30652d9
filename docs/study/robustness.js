// Two numbers for a whole curve, after MultiBench (Liang et al., NeurIPS 2021; eval_scripts/robustness.py).

/** Area under a curve by the trapezoidal rule. */
export function area(/** @type {readonly number[]} */ x, /** @type {readonly number[]} */ y) {
	return x.slice(1).reduce((sum, right, i) => sum + ((right - x[i]) * (y[i] + y[i + 1])) / 2, 0);
}

/**
 * Relative robustness: the area under performance against the share of corrupted rows.
 * @param {readonly number[]} shares rising from 0 to 1
 * @param {readonly number[]} performance higher is better
 */
export const relativeRobustness = area;

/**
 * Effective robustness: the area between a method's curve and that of late fusion, moved to start at the method's clean performance.
 * Positive: it loses less than late fusion does. MultiBench adds up the differences at its points where we take the area, and scales
 * the numbers of all methods to 0…1, which we do not.
 * @param {readonly number[]} shares rising from 0 to 1
 * @param {readonly number[]} performance
 * @param {readonly number[]} late performance of late fusion
 */
export const effectiveRobustness = (shares, performance, late) =>
	area(
		shares,
		performance.map((value, i) => value - (late[i] + performance[0] - late[0])),
	);
