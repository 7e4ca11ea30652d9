import type { Json, SearchMethod, SweepSpace } from '@steelyard/contracts';
import type { CounterRandom } from '@steelyard/random';
import { compare, type Observation } from './observations.js';
import { type ParzenEstimator, parzenEstimator } from './parzen.js';
import { randomAssignment } from './random-search.js';
import { type Assignment, exists, groupsOf, type Named } from './space.js';

/** How many of n observations count as good: a tenth, rounded up, and never more than 25. */
const goodOf = (n: number): number => Math.min(Math.ceil(0.1 * n), 25);

/**
 * The good observations and the others, both oldest first. A failed assignment is among the others, and so is one that still runs, so that it is not
 * proposed again at once; neither tells how good the rest is.
 */
export function split(observations: readonly Observation[]): { good: Assignment[]; other: Assignment[] } {
	const ended = observations.filter(({ state }) => state !== 'running').length;
	const finished = observations.filter(({ state }) => state === 'finished');
	const good = new Set([...finished].sort(compare).slice(0, goodOf(ended)));
	const assignmentsOf = (isGood: boolean) => observations.filter((one) => good.has(one) === isGood).map(({ assignment }) => assignment);
	return { good: assignmentsOf(true), other: assignmentsOf(false) };
}

/** The candidate under which the ratio of good density to other density is greatest. */
function mostPromising(good: ParzenEstimator, other: ParzenEstimator, candidates: number, random: CounterRandom): Assignment {
	let best: { candidate: Assignment; ratio: number } | null = null;
	for (let i = 0; i < candidates; i++) {
		const candidate = good.draw(random);
		const ratio = good.logDensity(candidate) - other.logDensity(candidate);
		if (best === null || ratio > best.ratio) best = { candidate, ratio };
	}
	return best?.candidate ?? {};
}

const has =
	(group: readonly Named[]) =>
	(assignment: Assignment): boolean =>
		group.every(({ name }) => Object.hasOwn(assignment, name));

/**
 * The assignment that the tree-structured Parzen estimator proposes (Bergstra et al. 2011; 2013): it draws candidates from the density of good observations
 * and takes the one of highest expected improvement. Until `startup` assignments have ended it is drawn at random.
 *
 * The dimensions that exist together are proposed together, by one density of all of them, as in BOHB (Falkner et al. 2018) and in Optuna's TPESampler by
 * default; those of a condition follow when the values are known on which it depends, and their densities are those of the observations in which they existed.
 * The settings that `method` does not have are Optuna's: prior weight 1, `goodOf`, `kernelWeights`, and the widths of `normalKernels`.
 */
export function tpeAssignment(
	space: SweepSpace,
	method: Omit<Extract<SearchMethod, { type: 'tpe' }>, 'type'>,
	observations: readonly Observation[],
	random: CounterRandom,
): Assignment {
	if (observations.filter(({ state }) => state !== 'running').length < method.startup) return randomAssignment(space, random);
	const { good, other } = split(observations);
	const assignment: Record<string, Json> = {};
	for (const group of groupsOf(space)) {
		if (!exists((group[0] as Named).dimension, assignment)) continue;
		const [dense, sparse] = [good, other].map((side) => parzenEstimator(group, side.filter(has(group)))) as [
			ParzenEstimator,
			ParzenEstimator,
		];
		Object.assign(assignment, mostPromising(dense, sparse, method.candidates, random));
	}
	return assignment;
}
