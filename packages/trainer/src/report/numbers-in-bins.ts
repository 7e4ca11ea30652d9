import { HISTOGRAM_BINS, type NumbersInBins } from '@steelyard/contracts';
import { quantile } from '@steelyard/weighting';

/** The least and the greatest of numbers, at least one. */
export type Range = { readonly from: number; readonly to: number };

export function rangeOf(numbers: Float64Array): Range {
	let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
	for (const number of numbers) {
		if (number < from) from = number;
		if (number > to) to = number;
	}
	return { from, to };
}

/** Counts numbers of a range in intervals of equal width, as numpy.histogram does, and sums them up; percentiles interpolate linearly between order statistics. */
export function inBins(numbers: Float64Array, { from, to }: Range): NumbersInBins {
	const width = (to - from) / HISTOGRAM_BINS;
	const edge = (bin: number): number => from + bin * width;
	const last = HISTOGRAM_BINS - 1;
	const counts = new Array<number>(HISTOGRAM_BINS).fill(0);
	for (const number of numbers) {
		let bin = width > 0 ? Math.min(last, Math.floor((number - from) / width)) : 0;
		// what rounding has moved over an edge
		if (bin > 0 && number < edge(bin)) bin--;
		else if (bin < last && width > 0 && number >= edge(bin + 1)) bin++;
		counts[bin] = (counts[bin] as number) + 1;
	}
	const sorted = numbers.toSorted();
	const at = (q: number): number | null => (sorted.length === 0 ? null : quantile(sorted, q));
	const mean = sorted.length === 0 ? null : sorted.reduce((sum, number) => sum + number, 0) / sorted.length;
	return { count: sorted.length, counts, mean, p10: at(0.1), p50: at(0.5), p90: at(0.9) };
}
