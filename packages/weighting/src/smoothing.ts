import type { SmoothingConfig } from './configuration.js';
import { expectLength } from './weighting-error.js';

/**
 * w ← s·fresh + (1 − s)·old, element by element, for the training weights alone: everything else uses the fresh ones. A modality that is masked must be 0
 * in both, as it is when the table starts as `modalityWeights` of the uniform preset.
 *
 * @param s share of the fresh weights, in [0, 1]
 */
export function smooth(old: Float32Array, fresh: Float32Array, s: number): Float32Array {
	expectLength('fresh weights', old.length, fresh.length);
	return old.map((w, i) => s * fresh[i]! + (1 - s) * w);
}

/**
 * The share of the fresh weights after a refresh: s ± step, within [0, 1], by whether the validation loss rose or fell since the previous refresh. It
 * stays where nothing changed, where nothing is known yet (`previousValidationLoss` null) and where adaptation is off.
 */
export function adaptSmoothing(
	s: number,
	previousValidationLoss: number | null,
	validationLoss: number,
	config: Pick<SmoothingConfig, 'step' | 'adapt'>,
): number {
	if (config.adapt === 'off' || previousValidationLoss === null) return s;
	const worse = validationLoss > previousValidationLoss;
	const better = validationLoss < previousValidationLoss;
	if (!worse && !better) return s;
	const raise = worse === (config.adapt === 'raise-on-worse');
	return Math.min(1, Math.max(0, raise ? s + config.step : s - config.step));
}
