import { informationOfJoint } from './joint-information.js';
import { leastInformation, type PairTables } from './least-information.js';
import { expectLength, WeightingError } from './weighting-error.js';

/** The information of two sources about a target, in parts; each in nats, at least 0. */
export type PartialInformation = {
	/** What each source gives also without the other. */
	readonly redundant: number;
	/** What only the first source gives, and what only the second gives. */
	readonly unique: readonly [number, number];
	/** What only the two sources together give. */
	readonly synergistic: number;
	/** I(T; X1, X2), the sum of the four. */
	readonly total: number;
	/** No part is further from its true value than this. */
	readonly gap: number;
};

export type PartialInformationShape = {
	/** Values of T, of X1 and of X2. */
	readonly targets: number;
	readonly first: number;
	readonly second: number;
};

/**
 * Decomposes I(T; X1, X2) of discrete variables, by Bertschinger et al. 2014 (BROJA): with m the least I_q(T; X1, X2) of all distributions q that have the
 * tables of (T, X1) and (T, X2), unique is m − I(T; X2) and m − I(T; X1), synergistic I(T; X1, X2) − m, redundant the rest. So redundant + unique[0] is
 * I(T; X1), redundant + unique[1] is I(T; X2) and the sum of all is I(T; X1, X2), but for rounding. Of counts this is the plug-in estimate, which is biased
 * upwards where cells are many and instances few.
 *
 * @param counts of each (t, x1, x2), or their probabilities, `[targets, first, second]`
 * @param tolerance how far from the least the search may end, in nats; `gap` is how far it may have ended. Tables that are nearly singular end further from it
 * @throws WeightingError `shape` where the length does not fit or nothing was counted, `not_finite` for a count that is negative or not finite
 */
export function partialInformation(counts: ArrayLike<number>, shape: PartialInformationShape, tolerance = 1e-6): PartialInformation {
	const joint = distribution(counts, shape);
	const tables = pairTables(joint, shape);
	const { targets, first, second } = shape;
	const total = informationOfJoint(joint, targets, first * second);
	const one = informationOfJoint(tables.withFirst, targets, first);
	const two = informationOfJoint(tables.withSecond, targets, second);
	const { least, most } = leastInformation(tables, tolerance);
	// the joint distribution itself and independence given T are among those searched, and more sources never give less information
	const m = Math.max(one, two, Math.min(most, total, one + two));
	return {
		redundant: one + two - m,
		unique: [m - two, m - one],
		synergistic: total - m,
		total,
		gap: Math.max(0, m - Math.max(least, one, two)),
	};
}

function distribution(counts: ArrayLike<number>, { targets, first, second }: PartialInformationShape): Float64Array {
	expectLength('counts', targets * first * second, counts.length);
	let sum = 0;
	for (let i = 0; i < counts.length; i++) {
		const count = counts[i]!;
		if (!(count >= 0 && Number.isFinite(count)))
			throw new WeightingError('not_finite', `count ${i}: expected a finite number of at least 0, found ${count}`);
		sum += count;
	}
	if (sum === 0) throw new WeightingError('shape', 'counts: expected at least one instance, found none');
	return Float64Array.from(counts, (count) => count / sum);
}

function pairTables(joint: Float64Array, { targets, first, second }: PartialInformationShape): PairTables {
	const ofTarget = new Float64Array(targets);
	const withFirst = new Float64Array(targets * first);
	const withSecond = new Float64Array(targets * second);
	joint.forEach((p, cell) => {
		const t = Math.floor(cell / (first * second));
		ofTarget[t]! += p;
		withFirst[Math.floor(cell / second)]! += p;
		withSecond[t * second + (cell % second)]! += p;
	});
	return { targets, first, second, ofTarget, withFirst, withSecond };
}
