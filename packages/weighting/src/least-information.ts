import { informationOfJoint } from './joint-information.js';

const MOST_ROUNDS = 10_000;
/** Rounds between two looks at the bounds, which cost as much as a round. */
const ROUNDS_A_LOOK = 10;

/** The two pairwise tables that a joint distribution p(t, a, b) has to keep: p(t, a) `[targets, first]` and p(t, b) `[targets, second]`. */
export type PairTables = {
	readonly targets: number;
	readonly first: number;
	readonly second: number;
	readonly ofTarget: Float64Array;
	readonly withFirst: Float64Array;
	readonly withSecond: Float64Array;
};

/**
 * The least I_q(T; A, B) of all joint distributions q that have the given pairwise tables, in nats: a bound from above, `most`, reached by a q that
 * has exactly these tables, and one from below, `least`.
 *
 * I_q(T; A, B) is the least Σ_t p(t) KL(q_t ‖ u) over distributions u of (a, b), which is convex in q and u together. As in Banerjee et al. 2018 the two
 * are improved in turn: q_t ∝ α_t(a) u(a, b) β_t(b) by scaling it to the tables of t (Sinkhorn), then u ← u·c^1.75 with c = Σ_t p(t) α_t β_t (the power 1
 * is the plain step; 1.75 is faster and has the same fixed points). Any α and β give a bound from below by duality, Σ_t p(t) (Σ p(a|t) ln α + Σ p(b|t) ln β)
 * − ln max c, as in the Blahut–Arimoto algorithm. The search ends when the bounds are `tolerance` apart, or after 10,000 rounds; their distance is
 * then the error, whatever the path was.
 */
export function leastInformation(tables: PairTables, tolerance: number): { least: number; most: number } {
	const { targets, first, second, ofTarget, withFirst, withSecond } = tables;
	const cells = first * second;
	const u = new Float64Array(cells);
	eachCell(tables, (t, a, b) => {
		u[a * second + b]! += (withFirst[t * first + a]! * withSecond[t * second + b]!) / ofTarget[t]!;
	});
	const scaling = { alpha: new Float64Array(targets * first).fill(1), beta: new Float64Array(targets * second).fill(1) };
	const c = new Float64Array(cells);
	let least = 0;
	let most = Number.POSITIVE_INFINITY;
	for (let round = 1; round <= MOST_ROUNDS; round++) {
		rescale(tables, u, scaling);
		scalingsInto(c, tables, scaling);
		if (round % ROUNDS_A_LOOK === 0 || round === 1) {
			least = Math.max(least, lowerBound(tables, scaling, c));
			most = Math.min(most, informationOfJoint(feasible(tables, u, scaling), targets, cells));
			if (most - least <= tolerance) break;
		}
		improve(u, c);
	}
	return { least, most };
}

type Scaling = { readonly alpha: Float64Array; readonly beta: Float64Array };

function eachCell(
	{ targets, first, second, ofTarget, withFirst, withSecond }: PairTables,
	visit: (t: number, a: number, b: number) => void,
): void {
	for (let t = 0; t < targets; t++) {
		if (ofTarget[t] === 0) continue;
		for (let a = 0; a < first; a++) {
			if (withFirst[t * first + a] === 0) continue;
			for (let b = 0; b < second; b++) if (withSecond[t * second + b] !== 0) visit(t, a, b);
		}
	}
}

/** One sweep: α to the table of A, then β to that of B, so that the latter is met exactly. */
function rescale({ targets, first, second, ofTarget, withFirst, withSecond }: PairTables, u: Float64Array, { alpha, beta }: Scaling): void {
	for (let t = 0; t < targets; t++) {
		if (ofTarget[t] === 0) continue;
		for (let a = 0; a < first; a++) {
			let sum = 0;
			for (let b = 0; b < second; b++) sum += u[a * second + b]! * beta[t * second + b]!;
			const wanted = withFirst[t * first + a]!;
			alpha[t * first + a] = wanted === 0 ? 0 : wanted / ofTarget[t]! / sum;
		}
		for (let b = 0; b < second; b++) {
			let sum = 0;
			for (let a = 0; a < first; a++) sum += u[a * second + b]! * alpha[t * first + a]!;
			const wanted = withSecond[t * second + b]!;
			beta[t * second + b] = wanted === 0 ? 0 : wanted / ofTarget[t]! / sum;
		}
	}
}

/** c = Σ_t p(t) α_t β_t, into `c`. */
function scalingsInto(c: Float64Array, { targets, first, second, ofTarget }: PairTables, { alpha, beta }: Scaling): void {
	c.fill(0);
	for (let t = 0; t < targets; t++) {
		for (let a = 0; a < first; a++) {
			const factor = ofTarget[t]! * alpha[t * first + a]!;
			if (factor === 0) continue;
			for (let b = 0; b < second; b++) c[a * second + b]! += factor * beta[t * second + b]!;
		}
	}
}

function lowerBound({ withFirst, withSecond }: PairTables, { alpha, beta }: Scaling, c: Float64Array): number {
	let sum = -Math.log(c.reduce((most, value) => Math.max(most, value), 0));
	withFirst.forEach((p, i) => {
		if (p > 0) sum += p * Math.log(alpha[i]!);
	});
	withSecond.forEach((p, i) => {
		if (p > 0) sum += p * Math.log(beta[i]!);
	});
	return sum;
}

/** The scaled joint distribution with what its table of A is too high cut off, and what both tables then lack put back as a product (Altschuler et al. 2017). */
function feasible(tables: PairTables, u: Float64Array, { alpha, beta }: Scaling): Float64Array {
	const { targets, first, second, ofTarget, withFirst, withSecond } = tables;
	const q = new Float64Array(targets * first * second);
	const ofFirst = new Float64Array(targets * first);
	eachCell(tables, (t, a, b) => {
		const value = ofTarget[t]! * alpha[t * first + a]! * u[a * second + b]! * beta[t * second + b]!;
		q[(t * first + a) * second + b] = value;
		ofFirst[t * first + a]! += value;
	});
	const lackFirst = Float64Array.from(withFirst, (wanted, i) => Math.max(0, wanted - ofFirst[i]!));
	const lackSecond = withSecond.slice();
	eachCell(tables, (t, a, b) => {
		const i = t * first + a;
		q[i * second + b]! *= Math.min(1, withFirst[i]! / ofFirst[i]!);
		lackSecond[t * second + b]! -= q[i * second + b]!;
	});
	const lack = new Float64Array(targets);
	lackFirst.forEach((value, i) => {
		lack[Math.floor(i / first)]! += value;
	});
	eachCell(tables, (t, a, b) => {
		if (lack[t]! > 0) q[(t * first + a) * second + b]! += (lackFirst[t * first + a]! * Math.max(0, lackSecond[t * second + b]!)) / lack[t]!;
	});
	return q;
}

/** u ← u·c^1.75, normalised, in place. */
function improve(u: Float64Array, c: Float64Array): void {
	let sum = 0;
	for (let x = 0; x < u.length; x++) {
		const root = Math.sqrt(c[x]!);
		u[x]! *= c[x]! * root * Math.sqrt(root);
		sum += u[x]!;
	}
	for (let x = 0; x < u.length; x++) u[x]! /= sum;
}
