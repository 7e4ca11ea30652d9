import type { SweepSpace } from '@steelyard/contracts';
import { counterRandom } from '@steelyard/random';
import { describe, expect, it } from 'vitest';
import { kernelWeights, parzenEstimator } from '../src/parzen.js';
import { normalKernels } from '../src/range-kernels.js';
import { type Assignment, boundsOf, type Named, type Range } from '../src/space.js';
import { fixture } from './fixture.js';

type Case = {
	names: string[];
	observed: Assignment[];
	probes: Assignment[];
	weights: number[];
	logDensities: number[];
	means?: number[];
	sigmas?: number[];
};
const { space, cases } = fixture<{ space: SweepSpace; cases: Case[] }>('parzen');
const named = (names: readonly string[]): Named[] => names.map((name) => ({ name, dimension: space[name]! }));

/** Float64 sums in another order than NumPy's, of numbers up to about 20. */
const close = (found: readonly number[], expected: readonly number[]): void => {
	expect(found.length).toBe(expected.length);
	found.forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-9));
};

describe.each(cases.map((one) => [one.names.join(', '), one.observed.length, one] as const))(
	'the Parzen estimator of %s after %i observations',
	(_, count, { names, observed, probes, weights, logDensities, means, sigmas }) => {
		it("has Optuna's kernels, weights and log densities", () => {
			close(kernelWeights(count), weights);
			if (means && sigmas) {
				const range = space[names[0]!] as Range;
				const kernels = normalKernels(
					range,
					observed.map((one) => one[names[0]!] as number),
				);
				close(kernels.means, means);
				close(kernels.sigmas, sigmas);
			}
			const estimator = parzenEstimator(named(names), observed);
			close(
				probes.map((probe) => estimator.logDensity(probe)),
				logDensities,
			);
		});
	},
);

describe('what a Parzen estimator draws', () => {
	const { observed } = cases.find(({ names, observed: { length } }) => names.length === 5 && length === 7)!;
	const draws = (names: readonly string[], count: number): Assignment[] => {
		const estimator = parzenEstimator(named(names), observed);
		const random = counterRandom(1, names.join());
		return Array.from({ length: count }, () => estimator.draw(random));
	};

	it.each(['layers', 'kind'])('has the frequencies that its density of %s says', (name) => {
		const count = 20_000;
		const seen = new Map<unknown, number>();
		for (const { [name]: value } of draws([name], count)) seen.set(value, (seen.get(value) ?? 0) + 1);
		const estimator = parzenEstimator(named([name]), observed);
		const values = name === 'kind' ? ['a', 'b', 'c', 'd'] : [1, 2, 3, 4, 5, 6, 7, 8];
		const masses = values.map((value) => Math.exp(estimator.logDensity({ [name]: value })));
		expect(masses.reduce((sum, mass) => sum + mass, 0)).toBeCloseTo(1, 12);
		// Five standard deviations of a frequency of 20,000 draws are at most 0.018.
		values.forEach((value, i) => expect(Math.abs((seen.get(value) ?? 0) / count - masses[i]!)).toBeLessThan(0.018));
	});

	it.each(['x', 'rate'])('has the mean that its density of %s says', (name) => {
		const range = space[name] as Range;
		const { low, high } = boundsOf(range);
		const scaled = (value: number) => (name === 'rate' ? Math.log(value) : value);
		const unscaled = (value: number) => (name === 'rate' ? Math.exp(value) : value);
		const estimator = parzenEstimator(named([name]), observed);
		const steps = 4000;
		let [mass, moment] = [0, 0];
		for (let i = 0; i < steps; i++) {
			const at = low + ((i + 0.5) * (high - low)) / steps;
			const density = (Math.exp(estimator.logDensity({ [name]: unscaled(at) })) * (high - low)) / steps;
			mass += density;
			moment += at * density;
		}
		expect(mass).toBeCloseTo(1, 5);
		const values = draws([name], 20_000).map((one) => scaled(one[name] as number));
		const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
		// Five standard deviations of the mean of 20,000 draws, each of which deviates by less than half of the range.
		expect(Math.abs(mean - moment)).toBeLessThan((5 * 0.5 * (high - low)) / Math.sqrt(20_000));
		expect(values.every((value) => value >= low && value <= high)).toBe(true);
	});
});
