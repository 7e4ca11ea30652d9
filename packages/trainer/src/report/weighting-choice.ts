import type { WeightingChoice, WeightingPreset } from '@steelyard/contracts';
import { isBetter } from './metrics.js';

/** What one candidate came to on validation. */
export type JudgedCandidate = {
	readonly preset: WeightingPreset;
	/** The metric over the rows as they are; null where it is undefined or not finite. */
	readonly clean: number | null;
	/** Its distances from `clean` in resamples that all candidates share, null where it is undefined in one; null where there are none. */
	readonly resampled: readonly (number | null)[] | null;
	/** By modality the metric where the modality is shuffled, the mean over several orders; null where that is undefined. */
	readonly shuffled: Readonly<Record<string, number | null>>;
};

/** Of the resamples in which both metrics have to be defined. */
const LEAST_DEFINED = 0.95;

/** The standard error of the difference between two candidates, by the resamples that they share; null where there are too few. */
function standardError(one: JudgedCandidate, other: JudgedCandidate): number | null {
	if (one === other) return 0;
	if (one.resampled === null || other.resampled === null) return null;
	const differences = one.resampled.flatMap((value, i) => {
		const than = other.resampled?.[i] ?? null;
		return value === null || than === null ? [] : [value - than];
	});
	const count = differences.length;
	if (count < 2 || count < LEAST_DEFINED * one.resampled.length) return null;
	const mean = differences.reduce((sum, value) => sum + value, 0) / count;
	return Math.sqrt(differences.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1));
}

/** The mean over the modalities; null where one of them is undefined. */
function meanOf(values: readonly (number | null)[]): number | null {
	const known = values.filter((value) => value !== null);
	return known.length < values.length || known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}

/** The first of those of which none is better; one without a value is worse than any with one. */
const bestOf = <T>(metric: string, of: readonly T[], value: (one: T) => number | null): T | undefined =>
	of.reduce<T | undefined>((best, one) => {
		if (best === undefined) return one;
		const [mine, its] = [value(one), value(best)];
		return mine !== null && (its === null || isBetter(metric, mine, its)) ? one : best;
	}, undefined);

const written = (value: number | null): string => (value === null ? 'undefined' : String(Number(value.toPrecision(4))));

/**
 * Chooses a weighting by validation: of the candidates whose metric over the rows as they are is within one standard error of the best one, that whose mean over
 * the modalities, each shuffled in turn, is the best. The standard error is that of the difference, by a paired bootstrap over the rows. Of equal ones the first is taken.
 *
 * @param candidates at least one, the simplest first
 */
export function chooseWeighting(
	metric: string,
	candidates: readonly JudgedCandidate[],
	{ rows, shuffles }: Pick<WeightingChoice, 'rows' | 'shuffles'>,
): WeightingChoice {
	const best = bestOf(metric, candidates, ({ clean }) => clean) as JudgedCandidate;
	const judged = candidates.map((candidate) => {
		const { preset, clean, shuffled } = candidate;
		const standard_error = standardError(candidate, best);
		const distance = clean === null || best.clean === null ? null : Math.abs(best.clean - clean);
		const eligible = candidate === best || (distance !== null && distance <= (standard_error ?? 0));
		return { preset, clean, standard_error, eligible, shuffled: { ...shuffled }, shuffled_mean: meanOf(Object.values(shuffled)) };
	});
	const eligible = judged.filter((one) => one.eligible);
	const { preset: chosen } = bestOf(metric, eligible, (one) => one.shuffled_mean) as (typeof judged)[number];
	const others = eligible.filter(({ preset }) => preset !== chosen);
	const near = others.map(({ preset, shuffled_mean: mean }) => `${preset} with ${written(mean)}`).join(', ');
	const own = eligible.find(({ preset }) => preset === chosen);
	const reason =
		others.length === 0
			? `The ${metric} of ${chosen} on validation, ${written(best.clean)}, is the best by more than a standard error.`
			: `By ${metric} on validation, ${eligible.map(({ preset }) => preset).join(', ')} are within a standard error of the best; where a modality is shuffled, ${chosen} has ${written(own?.shuffled_mean ?? null)} in the mean, beside ${near}.`;
	return { chosen, reason, metric, rows, shuffles, candidates: judged };
}
