/** The q-quantile of numbers in ascending order, by linear interpolation between order statistics; q from 0 to 1. NaN where there are no numbers. */
export function quantile(sorted: Float64Array, q: number): number {
	const at = q * (sorted.length - 1);
	const below = Math.floor(at);
	const above = Math.min(below + 1, sorted.length - 1);
	return sorted[below]! + (at - below) * (sorted[above]! - sorted[below]!);
}
