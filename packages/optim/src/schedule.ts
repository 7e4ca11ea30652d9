/** How the learning rate changes; `ScheduleConfig` of @steelyard/contracts has the meaning and the ranges of the numbers. */
export type Schedule = {
	name: 'constant' | 'warmup-cosine' | 'plateau';
	warmup_fraction: number;
	final_fraction: number;
	factor: number;
	patience: number;
};

/** What `plateau` keeps between epochs: the factor of the base rate, the best validation loss, and the epochs in a row that were no better. */
export type PlateauState = { scale: number; best: number | null; badEpochs: number };

/** The state of `plateau` before the first epoch. */
export const initialPlateau: PlateauState = { scale: 1, best: null, badEpochs: 0 };

/** A loss counts as better when it is better by this share of the best loss, as in PyTorch's ReduceLROnPlateau. */
const THRESHOLD = 1e-4;

/** The learning rate of `step`, which counts from 1 to `steps`, for a base rate. */
export function learningRateAt(
	schedule: Schedule,
	{ base, step, steps, plateau }: { base: number; step: number; steps: number; plateau: PlateauState },
): number {
	if (schedule.name === 'constant') return base;
	if (schedule.name === 'plateau') return base * plateau.scale;
	const warmup = Math.round(schedule.warmup_fraction * steps);
	if (step <= warmup) return (base * step) / warmup;
	const done = Math.min(1, (step - warmup) / Math.max(1, steps - warmup));
	return base * (schedule.final_fraction + (1 - schedule.final_fraction) * 0.5 * (1 + Math.cos(Math.PI * done)));
}

/** The state of `plateau` after an epoch: the rate is multiplied by `factor` once more than `patience` epochs in a row brought no better validation loss. */
export function plateauAfter(schedule: Schedule, state: PlateauState, validationLoss: number): PlateauState {
	if (schedule.name !== 'plateau') return state;
	if (Number.isFinite(validationLoss) && (state.best === null || validationLoss < state.best * (1 - THRESHOLD)))
		return { ...state, best: validationLoss, badEpochs: 0 };
	if (state.badEpochs < schedule.patience) return { ...state, badEpochs: state.badEpochs + 1 };
	return { ...state, scale: state.scale * schedule.factor, badEpochs: 0 };
}
