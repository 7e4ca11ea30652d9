import { SIGMA_FLOOR } from './instance-divergence.js';
import type { Reals } from './task.js';
import { expectLength, WeightingError } from './weighting-error.js';

/**
 * Root mean square of a model's residuals on the training split, in units of the target, at least 1e-5: the σ of the regression divergence. Once it
 * is known, no label is read again.
 *
 * @param present rows to take, N values; all of them unless given
 * @throws WeightingError `shape` where lengths differ, `not_finite` where a residual is not finite
 */
export function residualSigma(prediction: Reals, target: Reals, present?: Uint8Array | null): number {
	expectLength('target', prediction.length, target.length);
	if (present) expectLength('present', prediction.length, present.length);
	let sum = 0;
	let count = 0;
	for (let i = 0; i < prediction.length; i++) {
		if (present && present[i] === 0) continue;
		const residual = prediction[i]! - target[i]!;
		sum += residual * residual;
		count++;
	}
	if (!Number.isFinite(sum))
		throw new WeightingError('not_finite', 'residuals: expected finite predictions and targets, found one that is not');
	return count === 0 ? SIGMA_FLOOR : Math.max(SIGMA_FLOOR, Math.sqrt(sum / count));
}

/**
 * |prediction − target| of every instance, `[N]`, at least 1e-5: the σ that the authors' later code takes. It knows how wrong the model is, so that it
 * serves as an upper bound on the training split and nowhere else.
 *
 * @throws WeightingError `shape` where lengths differ
 */
export function oracleSigma(prediction: Reals, target: Reals): Float64Array {
	expectLength('target', prediction.length, target.length);
	return Float64Array.from(prediction, (value, i) => Math.max(SIGMA_FLOOR, Math.abs(value - target[i]!)));
}
