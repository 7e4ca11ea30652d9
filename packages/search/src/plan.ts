import type { SweepSearch } from '@steelyard/contracts';
import type { Assignment } from './space.js';

/** The search part of a sweep that `parseSweepSearch` has let pass, and the epochs of a trial that is trained to its end. */
export type SweepPlan = SweepSearch & { readonly maximumEpochs: number };

/** Trial `trial`, from 0, begins: the values of `assignment`, seed `seed` of 0 … seeds − 1, trained up to `epochs`. */
export type Start = {
	readonly kind: 'start';
	readonly trial: number;
	readonly assignment: Assignment;
	readonly seed: number;
	readonly epochs: number;
};
/** Trial `trial` goes on from where its last decision left it, up to `epochs` in all. */
export type Promotion = { readonly kind: 'promote'; readonly trial: number; readonly epochs: number };
export type Decision = Start | Promotion;

/** What came of a decision: the value that the sweep optimises, or that the trial failed. A value that is not finite counts as failed. Undefined while it runs. */
export type Outcome = { readonly value: number } | { readonly failed: true };
export type Outcomes = readonly (Outcome | undefined)[];

/** How many assignments the budget pays for: all seeds of one are trained, or none. */
export const assignmentsOf = ({ budget, seeds }: SweepPlan): number => Math.floor(budget.trials / seeds);
