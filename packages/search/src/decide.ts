import { counterRandom } from '@steelyard/random';
import { promotionOf, rungsOf } from './asha.js';
import { gridAssignment } from './grid.js';
import { observationsOf } from './observations.js';
import { assignmentsOf, type Decision, type Outcomes, type Start, type SweepPlan } from './plan.js';
import { randomAssignment } from './random-search.js';
import type { Assignment } from './space.js';
import { tpeAssignment } from './tpe.js';
import { type Trial, trialsOf } from './trials.js';

/** Assignment `number` of the sweep, from 0; null where the search has no more. Its random numbers are those of `suggest/<number>`. */
function suggestion({ space, search, seed, seeds }: SweepPlan, number: number, trials: readonly Trial[]): Assignment | null {
	if (search.type === 'grid') return gridAssignment(space, search.points, number);
	const random = counterRandom(seed, `suggest/${number}`);
	if (search.type === 'random') return randomAssignment(space, random);
	return tpeAssignment(space, search, observationsOf({ seeds }, trials), random);
}

/** The start of the next trial: a further seed of the last assignment, or a new one; null where the budget or the search is spent. */
function startOf(plan: SweepPlan, trials: readonly Trial[]): Start | null {
	const trial = trials.length;
	const [number, seed] = [Math.floor(trial / plan.seeds), trial % plan.seeds];
	if (number >= assignmentsOf(plan)) return null;
	const assignment = seed > 0 ? (trials[trial - 1] as Trial).assignment : suggestion(plan, number, trials);
	return assignment && { kind: 'start', trial, assignment, seed, epochs: rungsOf(plan)[0] as number };
}

/**
 * The decision that follows those of `decisions`; `wait` where it depends on an outcome that is not there yet, and `done` where every decision has an outcome and
 * nothing is left to do. A pure function: random numbers follow from `plan.seed`.
 *
 * Decision n looks at the outcomes of decisions 0 … n − concurrency alone, and comes when all of these are there: so at most `concurrency` run at once, and the
 * whole list of decisions follows from the values, whatever the order or the machines in which trials end, and however often they had to be repeated. Only where
 * no trial is left to start and nothing that it sees can be promoted does it look at further outcomes, one after another in the order of the decisions, until something can; this
 * order makes that, too, a function of the values.
 *
 * It knows no clock: `budget.seconds` is for the caller, who asks no more when they are over.
 *
 * @param decisions all before, by number; they are those that this function gave
 * @param outcomes the outcome of each; undefined, or no entry, while it runs
 */
export function nextDecision(plan: SweepPlan, decisions: readonly Decision[], outcomes: Outcomes): Decision | 'wait' | 'done' {
	const firstGap = decisions.findIndex((_, i) => outcomes[i] === undefined);
	const known = firstGap === -1 ? decisions.length : firstGap;
	for (let seen = Math.max(0, decisions.length - plan.concurrency + 1); seen <= known; seen++) {
		const trials = trialsOf(plan, decisions, outcomes.slice(0, seen));
		const next = promotionOf(plan, trials) ?? startOf(plan, trials);
		if (next !== null) return next;
	}
	return known === decisions.length ? 'done' : 'wait';
}
