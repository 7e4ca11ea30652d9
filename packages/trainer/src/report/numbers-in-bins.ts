import { countsIn, type NumbersInBins, type Range } from '@steelyard/contracts';
import { quantile } from '@steelyard/weighting';

/** Counts numbers of a range in intervals of equal width, and sums them up; percentiles interpolate linearly between order statistics. */
export function inBins(numbers: Float64Array, range: Range): NumbersInBins {
	const sorted = numbers.toSorted();
	const at = (q: number): number | null => (sorted.length === 0 ? null : quantile(sorted, q));
	const mean = sorted.length === 0 ? null : sorted.reduce((sum, number) => sum + number, 0) / sorted.length;
	return { count: sorted.length, counts: countsIn(range, sorted), mean, p10: at(0.1), p50: at(0.5), p90: at(0.9) };
}
