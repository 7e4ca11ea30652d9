import type { WeightingConfig } from './configuration.js';
import { FIXED_SIGMA, instanceDivergence } from './instance-divergence.js';
import { modalityInformation } from './modality-information.js';
import { fitMinMax } from './normalise.js';
import { residualSigma } from './residual-sigma.js';
import { quantile } from './summary.js';
import { expectPresence, outputWidth, type Presence, type Reals, rowsOf, type WeightingTask } from './task.js';
import { WeightingError } from './weighting-error.js';
import { instanceWeights } from './weights.js';

/** What N instances were predicted to be, by anyone's models: logits, or values for regression, `[N, width]` each (`outputWidth`). */
export interface Predictions {
	readonly task: WeightingTask;
	/** Classes of `multiclass`, labels of `multilabel`; not read otherwise. */
	readonly classes: number;
	readonly fused: Reals;
	/** One of each of the M modalities. */
	readonly unimodal: readonly Reals[];
	readonly present?: Presence;
	/** Targets of a regression, `[N]`; needed where `sigma` is not `fixed`. */
	readonly labels?: Reals | null;
}

export interface WeighedPredictions {
	/** KL(unimodal ‖ fused) of M modalities before any normalisation, in nats, `[N]` each; 0 where the modality is missing. */
	readonly divergence: readonly Float64Array[];
	/** Of each modality, in nats, `[M]`, at least 1e-5. */
	readonly information: Float64Array;
	/** `[N, M]`, row-major. */
	readonly weights: Float32Array;
}

/**
 * One refresh on fixed predictions. There is no model to ask again, so the one fused prediction serves where a job has two: mutual information and
 * divergence are both taken against it. There is no history either, so nothing is smoothed. Divergence and information are told whether the weights use
 * them or not; where the configuration names no estimator of the information it is `ksg`.
 *
 * @param seed of the noise by which `ksg` breaks ties
 * @throws WeightingError `shape`, `not_finite`, or `configuration` where a regression lacks the labels that its sigma needs
 */
export function weighPredictions(config: WeightingConfig, predictions: Predictions, seed: number): WeighedPredictions {
	const { task, classes, fused, unimodal, present } = predictions;
	expectPresence(present, unimodal.length, rowsOf('fused output', fused, outputWidth(task, classes)));
	const estimator = config.mi === 'none' ? 'ksg' : config.mi;
	const information = modalityInformation({ task, classes, unimodal, fused, estimator, seed, ...(present && { present }) });
	const divergence = unimodal.map((output, m) => divergenceOf(config, predictions, output, present?.[m] ?? null));
	const weights = instanceWeights(config, { mi: information, ...fitMinMax(divergence, present) }, divergence, present);
	return { divergence, information, weights };
}

function divergenceOf(
	config: WeightingConfig,
	{ task, classes, fused, labels }: Predictions,
	unimodal: Reals,
	present: Uint8Array | null,
): Float64Array {
	const input = { task, classes, unimodal, fused, present };
	if (task !== 'regression') return instanceDivergence(input);
	if (config.sigma === 'fixed') return instanceDivergence({ ...input, sigma: { unimodal: FIXED_SIGMA, fused: FIXED_SIGMA } });
	if (!labels) throw new WeightingError('configuration', `labels: expected for sigma ${config.sigma}, found none`);
	return instanceDivergence({
		...input,
		sigma: { unimodal: residualSigma(unimodal, labels, present), fused: residualSigma(fused, labels) },
	});
}

/** Of one modality's divergences, in nats. */
export interface DivergenceSummary {
	readonly mean: number;
	readonly min: number;
	readonly max: number;
	readonly p10: number;
	readonly p90: number;
}

/**
 * Over the instances that have the modality; null where none has. Percentiles interpolate linearly between order statistics.
 *
 * @param D divergence of one modality, `[N]`
 */
export function summariseDivergence(D: Float64Array, present?: Uint8Array | null): DivergenceSummary | null {
	const kept = D.filter((_, i) => present?.[i] !== 0).sort();
	if (kept.length === 0) return null;
	const mean = kept.reduce((sum, d) => sum + d, 0) / kept.length;
	return { mean, min: kept[0]!, max: kept.at(-1)!, p10: quantile(kept, 0.1), p90: quantile(kept, 0.9) };
}
