/**
 * The factor by which the loss of training in float16 is multiplied, so that small gradients do not become 0 there, as torch.amp.GradScaler keeps it with its defaults
 * (Micikevicius et al. 2018, "Mixed precision training", § 3.2). Plain JSON.
 */
export type LossScaling = {
	/** A power of 2. */
	readonly scale: number;
	/** Steps in a row since the scale changed. */
	readonly good: number;
	/** Steps so far whose gradients were not finite, and that changed nothing. */
	readonly skipped: number;
};

export const initialScaling: LossScaling = { scale: 2 ** 16, good: 0, skipped: 0 };

/** So many steps in a row that were not skipped double the scale. */
export const GROWTH_INTERVAL = 2000;
/** Below this scale a gradient of 1 is 0 in float16. */
export const SMALLEST_SCALE = 2 ** -24;

/** After some steps of finite gradients, no more than are left to the growth of the scale. */
export const afterGood = ({ scale, good, skipped }: LossScaling, steps: number): LossScaling =>
	good + steps < GROWTH_INTERVAL ? { scale, good: good + steps, skipped } : { scale: 2 * scale, good: 0, skipped };

/** After a step that was skipped. */
export const afterSkip = ({ scale, skipped }: LossScaling): LossScaling => ({ scale: scale / 2, good: 0, skipped: skipped + 1 });
