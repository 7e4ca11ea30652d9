import type { Promotion, SweepPlan } from './plan.js';
import type { Trial } from './trials.js';

/** The epochs of each rung, rising: minimum · factorᵏ as long as that is below the epochs of a whole trial, and these as the last. Without asha there is that one alone. */
export function rungsOf({ pruning, maximumEpochs }: Pick<SweepPlan, 'pruning' | 'maximumEpochs'>): number[] {
	const rungs: number[] = [];
	if (pruning.type === 'asha') for (let epochs = pruning.minimum; epochs < maximumEpochs; epochs *= pruning.factor) rungs.push(epochs);
	return [...rungs, maximumEpochs];
}

/** A trial that failed is worse than any other; of equal ones the earlier is better. */
const byLoss =
	(rung: number) =>
	(a: Trial, b: Trial): number => {
		const [x, y] = [a, b].map(({ reports }) => reports[rung]?.loss ?? Number.POSITIVE_INFINITY) as [number, number];
		return x < y ? -1 : x > y ? 1 : a.number - b.number;
	};

/**
 * The trial that goes on to the next rung: from the highest rung down, the best of the top ⌊n / factor⌋ of the n trials with a result there that has not gone on
 * yet and did not fail; null where there is none (asynchronous successive halving, Li et al. 2020, arXiv 1810.05934, algorithm 2).
 */
export function promotionOf(plan: Pick<SweepPlan, 'pruning' | 'maximumEpochs'>, trials: readonly Trial[]): Promotion | null {
	const { pruning } = plan;
	if (pruning.type !== 'asha') return null;
	const rungs = rungsOf(plan);
	for (let rung = rungs.length - 2; rung >= 0; rung--) {
		const results = trials.filter(({ reports }) => (reports[rung]?.state ?? 'running') !== 'running').sort(byLoss(rung));
		const top = results.slice(0, Math.floor(results.length / pruning.factor));
		const next = top.find(({ reports }) => reports[rung]?.state === 'finished' && reports.length === rung + 1);
		if (next !== undefined) return { kind: 'promote', trial: next.number, epochs: rungs[rung + 1] as number };
	}
	return null;
}
