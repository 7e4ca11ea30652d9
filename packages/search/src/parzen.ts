import type { Json } from '@steelyard/contracts';
import type { CounterRandom } from '@steelyard/random';
import { choiceKernels } from './choice-kernels.js';
import type { Kernels } from './kernels.js';
import { rangeKernels } from './range-kernels.js';
import type { Assignment, Named } from './space.js';

/** Observations of so many trials, the newest ones, have full weight. */
const FULL_WEIGHT = 25;

/**
 * The weights of n observations, oldest first, and of the prior, which sum to 1: the prior and the newest 25 weigh alike, and those before rise linearly from 1/n
 * of that (Bergstra et al. 2013, the "linear forgetting").
 */
export function kernelWeights(n: number): number[] {
	const ramp = n - FULL_WEIGHT;
	const weights = Array.from({ length: n + 1 }, (_, i) => {
		if (i >= ramp) return 1;
		return ramp === 1 ? 1 / n : 1 / n + (i * (1 - 1 / n)) / (ramp - 1);
	});
	const sum = weights.reduce((total, weight) => total + weight, 0);
	return weights.map((weight) => weight / sum);
}

/** An estimate of the density of assignments: a mixture of one product of kernels per observation, and of the prior. */
export type ParzenEstimator = {
	/** An assignment of the dimensions that the estimator is of. */
	draw(random: CounterRandom): Assignment;
	logDensity(assignment: Assignment): number;
};

/**
 * The Parzen estimator of some dimensions together (Bergstra et al. 2011, in the joint form of Falkner et al. 2018): kernel k is the product over the dimensions
 * of the kernel of observation k, so that what belongs together in an observation stays together. The last one is the prior, which covers the whole space.
 *
 * @param observations oldest first; each has all of the dimensions
 */
export function parzenEstimator(dimensions: readonly Named[], observations: readonly Assignment[]): ParzenEstimator {
	const weights = kernelWeights(observations.length);
	const kernels = dimensions.map(({ name, dimension }): Kernels => {
		const observed = observations.map((assignment) => assignment[name] as Json);
		return dimension.type === 'choice' ? choiceKernels(dimension, observed) : rangeKernels(dimension, observed as number[]);
	});
	const logWeights = weights.map(Math.log);

	const drawKernel = (random: CounterRandom): number => {
		let left = random.uniform();
		const k = weights.findIndex((weight) => (left -= weight) < 0);
		return k === -1 ? weights.length - 1 : k;
	};
	return {
		draw(random) {
			const k = drawKernel(random);
			return Object.fromEntries(dimensions.map(({ name }, d) => [name, (kernels[d] as Kernels).draw(k, random)]));
		},
		logDensity(assignment) {
			const logs = logWeights.slice();
			dimensions.forEach(({ name }, d) => {
				const logDensity = (kernels[d] as Kernels).logDensityAt(assignment[name] as Json);
				for (let k = 0; k < logs.length; k++) logs[k]! += logDensity(k);
			});
			const most = logs.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
			return most + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - most), 0));
		},
	};
}
