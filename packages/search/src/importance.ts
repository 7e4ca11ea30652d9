import type { Json } from '@steelyard/contracts';
import { binnedDensity } from './binned-density.js';
import { compare, type Observation, observationsOf } from './observations.js';
import type { Decision, Outcomes, SweepPlan } from './plan.js';
import { type Named, orderedDimensions } from './space.js';
import { trialsOf } from './trials.js';

/** Fewer assignments with a value than this tell nothing. */
export const LEAST_FOR_IMPORTANCE = 20;
/** The best are a tenth of the assignments, and at least so many. */
const FEWEST_BEST = 5;
/** Keeps quotients of densities finite. */
const FLOOR = 1e-12;

/** The best tenth, with all that are as good as its last. */
function bestOf(observations: readonly Observation[]): Observation[] {
	const ranked = observations.toSorted(compare);
	const last = ranked[Math.max(FEWEST_BEST, Math.ceil(0.1 * ranked.length)) - 1] as Observation;
	return ranked.filter((one) => compare(one, last) <= 0);
}

/** How far the values of a dimension among the best lie from those among all: Pearson's χ² divergence Σ q(p/q − 1)², times (share of the best that have it)² / share of all that do. */
function divergence({ name, dimension }: Named, best: readonly Observation[], all: readonly Observation[]): number {
	const [among, of] = [best, all].map((some) =>
		some.flatMap(({ assignment }) => (Object.hasOwn(assignment, name) ? [assignment[name] as Json] : [])),
	);
	if (among === undefined || of === undefined || among.length === 0 || of.length < 2) return 0;
	const [p, q] = [among, of].map((values) => binnedDensity(dimension, values).map((mass) => mass + FLOOR)) as [number[], number[]];
	const chiSquare = q.reduce((sum, mass, bin) => sum + mass * ((p[bin] as number) / mass - 1) ** 2, 0);
	return ((among.length / best.length) ** 2 / (of.length / all.length)) * chiSquare;
}

/**
 * How much it matters what each dimension is set to, for being among the best tenth of the assignments: shares by name that sum to 1. Null where fewer than
 * `LEAST_FOR_IMPORTANCE` assignments have a value, or where all of these are equal.
 *
 * This is PED-ANOVA (Watanabe et al. 2023, arXiv 2304.10255): the share of variance that fANOVA finds by a forest of regression trees is here a divergence of two
 * densities of one dimension each. It was chosen because densities are all that it needs, no forest, whose splits would need random numbers and a hundred times the code;
 * because it compares the best with what the sweep tried, and not with the whole space, of which TPE sees little; and because a dimension that exists under a
 * condition is compared among assignments that have it (arXiv 2601.20800). It sees main effects only: of two dimensions that matter together, but neither
 * alone, it tells nothing. Where trials ended early, those that were worth more epochs are better.
 */
export function importance(plan: SweepPlan, decisions: readonly Decision[], outcomes: Outcomes): Readonly<Record<string, number>> | null {
	const all = observationsOf(plan, trialsOf(plan, decisions, outcomes)).filter(({ state }) => state === 'finished');
	if (all.length < LEAST_FOR_IMPORTANCE) return null;
	const best = bestOf(all);
	if (best.length === all.length) return null;
	const divergences = orderedDimensions(plan.space).map((named) => ({ name: named.name, value: divergence(named, best, all) }));
	const sum = divergences.reduce((total, { value }) => total + value, 0);
	return sum === 0 ? null : Object.fromEntries(divergences.map(({ name, value }) => [name, value / sum]));
}
