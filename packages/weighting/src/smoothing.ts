import { expectLength } from './weighting-error.js';

/** How fresh weights are mixed into those that a training has had so far. */
export type Smoothing = {
	/** Share of the fresh weights at the first refresh, in [0, 1]. */
	readonly initial: number;
	/** By how much that share moves after a refresh. */
	readonly step: number;
	/** On which change of the validation loss the share rises; on the other it falls. */
	readonly adapt: 'off' | 'raise-on-worse' | 'raise-on-better';
};

/**
 * w ← s·fresh + (1 − s)·old, element by element, for the training weights alone: everything else uses the fresh ones. A modality that is masked must be 0
 * in both, as it is when the table starts as `uniformWeights`.
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
	config: Pick<Smoothing, 'step' | 'adapt'>,
): number {
	if (config.adapt === 'off' || previousValidationLoss === null) return s;
	const worse = validationLoss > previousValidationLoss;
	const better = validationLoss < previousValidationLoss;
	if (!worse && !better) return s;
	const raise = worse === (config.adapt === 'raise-on-worse');
	return Math.min(1, Math.max(0, raise ? s + config.step : s - config.step));
}
