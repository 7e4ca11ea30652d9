import type { WeightingSpecOf } from '@steelyard/contracts';
import type { SigmaChoice, Smoothing, WeightFormula } from '@steelyard/weighting';

/** Every choice of BTW: those of a job's `btw`, and two that no job has. */
export type BtwConfig = Required<Omit<WeightingSpecOf<'btw'>, 'preset' | 'refresh_steps' | 'smoothing' | 'sigma'>> & {
	/** Optimizer steps between two refreshes; null where `refresh_epochs` counts. */
	readonly refresh_steps: number | null;
	readonly smoothing: Smoothing;
	/** What a weight is made of. A job chooses it by its preset. */
	readonly combine: WeightFormula['combine'];
	/** A job has no `oracle`. */
	readonly sigma: SigmaChoice;
};

/** The choices that the formula of the weights reads. */
export const formulaOf = ({ combine, direction, normalise, renormalise, information_scale }: BtwConfig): WeightFormula => ({
	combine,
	direction,
	normalise,
	renormalise,
	informationScale: information_scale,
});
