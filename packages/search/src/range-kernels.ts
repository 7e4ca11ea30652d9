import type { CounterRandom } from '@steelyard/random';
import type { Kernels } from './kernels.js';
import { LOG_ROOT_2PI, logNormalMass } from './normal.js';
import { boundsOf, type Range, scaledOf, valueAt } from './space.js';

/** The centres and widths of the kernels of a range, on its scale: normal distributions that are cut off where the range ends. The last is the prior. */
export type NormalKernels = { readonly means: readonly number[]; readonly sigmas: readonly number[] };

/**
 * One normal distribution per observation, as wide as the greater distance to its neighbours; for the outermost ones only the inner neighbour counts, but for a single
 * observation the ends of the range are its neighbours. No width is less than the range divided by min(100, n + 2), so that no density becomes a spike
 * (Bergstra et al. 2011, section 4.2 and, for the least width, what the authors' hyperopt does). The prior is centred, and as wide as the range.
 */
export function normalKernels(range: Range, observed: readonly number[]): NormalKernels {
	const { low, high } = boundsOf(range);
	const width = high - low;
	const means = observed.map((value) => scaledOf(range, value));
	const order = means.map((_, i) => i).sort((a, b) => (means[a] as number) - (means[b] as number) || a - b);
	const least = width / Math.min(100, observed.length + 2);
	const sigmas = new Array<number>(means.length);
	order.forEach((k, at) => {
		const mean = means[k] as number;
		const [before, after] = [means[order[at - 1] ?? -1], means[order[at + 1] ?? -1]];
		const isAlone = before === undefined && after === undefined;
		const left = before === undefined ? (isAlone ? mean - low : 0) : mean - before;
		const right = after === undefined ? (isAlone ? high - mean : 0) : after - mean;
		sigmas[k] = Math.min(width, Math.max(least, left, right));
	});
	return { means: [...means, (low + high) / 2], sigmas: [...sigmas, width] };
}

/** A number from a normal distribution cut off at `low` and `high`, between which the mean lies and which are at least sigma apart: one draw in three stays. */
function truncatedNormal(mean: number, sigma: number, low: number, high: number, random: CounterRandom): number {
	for (;;) {
		const value = mean + sigma * random.normal();
		if (value >= low && value <= high) return value;
	}
}

/** The kernels of a range. That of an int gives each integer the mass of the numbers that round to it. */
export function rangeKernels(range: Range, observed: readonly number[]): Kernels {
	const { low, high } = boundsOf(range);
	const { means, sigmas } = normalKernels(range, observed);
	// The mass of each kernel within the range, and the height of its density when it is cut off there.
	const logMasses = means.map((mean, k) => logNormalMass((low - mean) / sigmas[k]!, (high - mean) / sigmas[k]!));
	const logHeights = sigmas.map((sigma, k) => -LOG_ROOT_2PI - Math.log(sigma) - logMasses[k]!);
	return {
		draw: (k, random) => valueAt(range, truncatedNormal(means[k]!, sigmas[k]!, low, high, random)),
		logDensityAt(value) {
			if (range.type === 'int') {
				const { low: from, high: to } = boundsOf({ ...range, low: value as number, high: value as number });
				return (k) => logNormalMass((from - means[k]!) / sigmas[k]!, (to - means[k]!) / sigmas[k]!) - logMasses[k]!;
			}
			const scaled = scaledOf(range, value as number);
			return (k) => -0.5 * ((scaled - means[k]!) / sigmas[k]!) ** 2 + logHeights[k]!;
		},
	};
}
