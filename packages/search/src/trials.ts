import type { Decision, Outcome, Outcomes, SweepPlan } from './plan.js';
import type { Assignment } from './space.js';

/** What is known of a trial after one decision about it. `loss` is lower where it is better, whatever the direction; null where the trial failed or still runs. */
export type Report = { readonly epochs: number; readonly state: 'running' | 'failed' | 'finished'; readonly loss: number | null };

/** A trial with its reports: number k is of rung k. There is at least one. */
export type Trial = {
	readonly number: number;
	readonly assignment: Assignment;
	readonly seed: number;
	readonly reports: readonly Report[];
};

/** The value of an outcome as a loss, and back. */
export const signOf = ({ direction }: Pick<SweepPlan, 'direction'>): 1 | -1 => (direction === 'minimise' ? 1 : -1);

function reportOf(epochs: number, outcome: Outcome | undefined, sign: number): Report {
	if (outcome === undefined) return { epochs, state: 'running', loss: null };
	const isValue = 'value' in outcome && Number.isFinite(outcome.value);
	return isValue ? { epochs, state: 'finished', loss: sign * outcome.value } : { epochs, state: 'failed', loss: null };
}

/** All trials by number, as far as `outcomes` tells; what it leaves out still runs. */
export function trialsOf(plan: SweepPlan, decisions: readonly Decision[], outcomes: Outcomes): Trial[] {
	const trials: (Trial & { reports: Report[] })[] = [];
	decisions.forEach((decision, i) => {
		const report = reportOf(decision.epochs, outcomes[i], signOf(plan));
		if (decision.kind === 'promote') trials[decision.trial]?.reports.push(report);
		else trials.push({ number: decision.trial, assignment: decision.assignment, seed: decision.seed, reports: [report] });
	});
	return trials;
}

/** What is known of a trial: its last report that no longer runs; null where all of it still runs. */
export const lastReport = ({ reports }: Trial): Report | null => reports.findLast(({ state }) => state !== 'running') ?? null;
