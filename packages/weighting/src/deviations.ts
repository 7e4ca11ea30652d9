import { FIXED_SIGMA } from './instance-divergence.js';
import { oracleSigma, residualSigma } from './residual-sigma.js';
import type { Presence, Reals } from './task.js';

/**
 * Which standard deviations the divergence of a regression takes: `FIXED_SIGMA` for all models, each model's `residualSigma`, or its `oracleSigma`. The last
 * reads the label of the instance that is weighed: it serves for comparison on rows whose labels are known, and no model can carry it.
 */
export type SigmaChoice = 'fixed' | 'residual' | 'oracle';

/** Standard deviations of M unimodal models and of the fused one, in units of the target: one number per model, or `[N]`. */
export type Deviations = { readonly unimodal: readonly (number | Reals)[]; readonly fused: number | Reals };

export type DeviationsInput = {
	/** Values of M unimodal models, `[N]` each. */
	readonly unimodal: readonly Reals[];
	readonly fused: Reals;
	/** `[N]`; not read where the choice is `fixed`. */
	readonly labels: Reals;
	readonly present?: Presence;
};

/** One number per unimodal model, `[M]`; `oracle` has none, so that its models get their residual deviation. */
export const unimodalDeviations = (choice: SigmaChoice, { unimodal, labels, present }: Omit<DeviationsInput, 'fused'>): number[] =>
	unimodal.map((output, m) => (choice === 'fixed' ? FIXED_SIGMA : residualSigma(output, labels, present?.[m] ?? null)));

/**
 * The deviations that the divergence of a regression takes.
 *
 * @throws WeightingError `shape` where lengths differ, `not_finite` where a residual is not finite
 */
export function deviations(choice: SigmaChoice, input: DeviationsInput): Deviations {
	const { unimodal, fused, labels } = input;
	if (choice === 'oracle') return { unimodal: unimodal.map((output) => oracleSigma(output, labels)), fused: oracleSigma(fused, labels) };
	return { unimodal: unimodalDeviations(choice, input), fused: choice === 'fixed' ? FIXED_SIGMA : residualSigma(fused, labels) };
}
