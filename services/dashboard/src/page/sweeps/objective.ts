import type { SweepResource, SweepTrial } from '@steelyard/contracts';

/** The value of a trial, and the best one of it and of all before that were trained to their ends. */
export type ObjectivePoint = { readonly trial: number; readonly value: number; readonly isWhole: boolean; readonly best: number | null };

/** The trials of a sweep that have values, in the order in which they began. */
export function objectiveOf({ trials, spec }: Pick<SweepResource, 'trials' | 'spec'>): ObjectivePoint[] {
	const better = spec.direction === 'minimise' ? Math.min : Math.max;
	let best: number | null = null;
	return trials
		.filter((trial): trial is SweepTrial & { value: number } => trial.value !== null)
		.toSorted((a, b) => a.trial - b.trial)
		.map(({ trial, value, state }) => {
			const isWhole = state === 'completed';
			if (isWhole) best = best === null ? value : better(best, value);
			return { trial, value, isWhole, best };
		});
}
