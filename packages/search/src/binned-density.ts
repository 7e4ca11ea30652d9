import type { Json, SweepDimension } from '@steelyard/contracts';
import { logNormalMass } from './normal.js';
import { isLogarithmic, placeOf, type Range, scaledOf } from './space.js';

/** The most bins of a range. */
const MOST_BINS = 50;
/** The least width of a kernel in bins: 90 % of its mass then lie within the bin of its centre. */
const LEAST_WIDTH = 0.5 / 1.64;

/** A range has as many bins as values, up to 50; a logarithmic int as many as it has doublings, and one or two more. */
function binsOf(range: Range): number {
	if (range.type !== 'int') return MOST_BINS;
	const count = range.high - range.low + 1;
	return Math.min(MOST_BINS, isLogarithmic(range) ? Math.ceil(Math.log2(count)) + 1 : count);
}

/** How many values lie in each bin, or next to the middle of each: the middles are spread evenly from low to high, on the scale of the range. */
function countsOf(dimension: SweepDimension, values: readonly Json[]): number[] {
	const counts = new Array<number>(dimension.type === 'choice' ? dimension.values.length : binsOf(dimension)).fill(0);
	for (const value of values) {
		if (dimension.type === 'choice') {
			counts[placeOf(dimension, value)]! += 1;
		} else {
			const low = scaledOf(dimension, dimension.low);
			const step = (scaledOf(dimension, dimension.high) - low) / (counts.length - 1);
			const bin = Math.ceil((scaledOf(dimension, value as number) - low) / step - 0.5);
			counts[Math.min(counts.length - 1, Math.max(0, bin))]! += 1;
		}
	}
	return counts;
}

/** The width of all kernels in bins, by Scott's rule: 1.059 · min(deviation, quartile range / 1.34) · n^(−1/5) (Scott 1992). */
function scottWidth(bins: readonly number[], counts: readonly number[]): number {
	const n = counts.reduce((sum, count) => sum + count, 0);
	const mean = bins.reduce((sum, bin, i) => sum + bin * counts[i]!, 0) / n;
	const variance = bins.reduce((sum, bin, i) => sum + counts[i]! * (bin - mean) ** 2, 0) / Math.max(1, n - 1);
	let seen = 0;
	const upTo = counts.map((count) => (seen += count));
	const first = bins[upTo.findIndex((count) => count >= Math.floor(n / 4))]!;
	const third = bins[upTo.findIndex((count) => count > Math.floor((n * 3) / 4))] ?? bins.at(-1)!;
	return Math.max(LEAST_WIDTH, 1.059 * Math.min((third - first) / 1.34, Math.sqrt(variance)) * n ** -0.2);
}

/**
 * An estimate of the probability of each bin of a dimension, of which there is one per value of a choice and at most 50 of a range: a kernel in each bin that values lie
 * in, weighted by their number, and a prior over all bins that weighs as much as one value.
 *
 * @param values at least one
 */
export function binnedDensity(dimension: SweepDimension, values: readonly Json[]): number[] {
	const counts = countsOf(dimension, values);
	const size = counts.length;
	const bins = counts.flatMap((count, bin) => (count > 0 ? bin : []));
	const weights = bins.map((bin) => counts[bin] as number);
	const total = values.length + 1;
	if (dimension.type === 'choice') {
		const share = 1 / (bins.length + 1);
		return counts.map((count) => ((values.length * share + count) / (1 + size * share) + 1 / size) / total);
	}
	const width = scottWidth(bins, weights);
	const kernels = [...bins.map((bin, i) => ({ mean: bin, width, weight: weights[i]! })), { mean: (size - 1) / 2, width: size, weight: 1 }];
	return counts.map((_, bin) =>
		kernels.reduce((sum, { mean, width: sigma, weight }) => {
			const inside = logNormalMass((bin - 0.5 - mean) / sigma, (bin + 0.5 - mean) / sigma);
			return sum + (weight / total) * Math.exp(inside - logNormalMass((-0.5 - mean) / sigma, (size - 0.5 - mean) / sigma));
		}, 0),
	);
}
