import type { WeightingConfig } from './configuration.js';
import { type ConsensusStatistics, consensus } from './consensus.js';
import { fitConsensus } from './consensus-fit.js';
import { energyWeights } from './energy-weights.js';
import { FIXED_SIGMA, instanceDivergence } from './instance-divergence.js';
import { modalityInformation } from './modality-information.js';
import { fitMinMax } from './normalise.js';
import { oracleSigma, residualSigma } from './residual-sigma.js';
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
	/** One of each of the M modalities; `consensus` wants each row by a model that was not trained on it. */
	readonly unimodal: readonly Reals[];
	readonly present?: Presence;
	/**
	 * Class index, 0 or 1 (binary) or value, `[N]`; 0 or 1, `[N, labels]`, for multilabel. Regression needs them where `sigma` is not `fixed`, `consensus`
	 * needs them for every task; nothing else reads them.
	 */
	readonly labels?: Reals | null;
}

export interface WeighedPredictions {
	/** KL(unimodal ‖ fused) of M modalities before any normalisation, in nats, `[N]` each; 0 where the modality is missing. */
	readonly divergence: readonly Float64Array[];
	/** Of each modality, in nats, `[M]`, at least 1e-5. */
	readonly information: Float64Array;
	/** `[N, M]`, row-major. */
	readonly weights: Float32Array;
	/** What `consensus` was fitted to; null for every other method. */
	readonly statistics: ConsensusStatistics | null;
}

/**
 * One refresh on fixed predictions. There is no model to ask again, so the one fused prediction serves where a job has two: mutual information and
 * divergence are both taken against it. There is no history either, so nothing is smoothed. Divergence and information are told whether the weights use
 * them or not; where the configuration names no estimator of the information it is `ksg`.
 *
 * @param seed of the noise by which `ksg` breaks ties
 * @throws WeightingError `shape`, `not_finite`, or `configuration` where labels are needed and missing, and for `ogm-ge`, which weighs gradients
 */
export function weighPredictions(config: WeightingConfig, predictions: Predictions, seed: number): WeighedPredictions {
	const { task, classes, fused, unimodal, present } = predictions;
	expectPresence(present, unimodal.length, rowsOf('fused output', fused, outputWidth(task, classes)));
	const estimator = config.mi === 'none' ? 'ksg' : config.mi;
	const information = modalityInformation({ task, classes, unimodal, fused, estimator, seed, ...(present && { present }) });
	const sigma = task === 'regression' ? deviations(config, predictions) : null;
	const divergence = unimodal.map((output, m) =>
		instanceDivergence({
			...{ task, classes, unimodal: output, fused, present: present?.[m] ?? null },
			...(sigma && { sigma: { unimodal: sigma.unimodal[m]!, fused: sigma.fused } }),
		}),
	);
	return { divergence, information, ...weightsOf(config, predictions, divergence, information) };
}

function weightsOf(
	config: WeightingConfig,
	predictions: Predictions,
	divergence: readonly Float64Array[],
	information: Float64Array,
): Pick<WeighedPredictions, 'weights' | 'statistics'> {
	const { task, classes, unimodal, present } = predictions;
	const outputs = { task, classes, outputs: unimodal, ...(present && { present }) };
	switch (config.method) {
		case 'even':
		case 'btw':
			return {
				weights: instanceWeights(config, { mi: information, ...fitMinMax(divergence, present) }, divergence, present),
				statistics: null,
			};
		case 'qmf': {
			const sigma = task === 'regression' ? constantDeviations(config, predictions) : null;
			return { weights: energyWeights({ ...outputs, ...(sigma && { sigma }) }), statistics: null };
		}
		case 'consensus': {
			const labels = labelsOf(predictions, 'consensus');
			const statistics = fitConsensus({ ...outputs, outOfFold: unimodal, labels, epsilon: config.epsilon });
			return { weights: consensus({ ...outputs, statistics }).weights, statistics };
		}
		case 'ogm-ge':
			throw new WeightingError('configuration', 'ogm-ge: expected a method that weighs predictions, found one that weighs gradients');
	}
}

function labelsOf({ labels }: Predictions, what: string): Reals {
	if (!labels) throw new WeightingError('configuration', `labels: expected for ${what}, found none`);
	return labels;
}

/** σ of each unimodal model and of the fused one, as the divergence of a regression takes them. */
function deviations(
	config: WeightingConfig,
	predictions: Predictions,
): { readonly unimodal: readonly (number | Reals)[]; readonly fused: number | Reals } {
	const { fused, unimodal } = predictions;
	if (config.sigma === 'fixed') return { unimodal: unimodal.map(() => FIXED_SIGMA), fused: FIXED_SIGMA };
	const labels = labelsOf(predictions, `sigma ${config.sigma}`);
	if (config.sigma === 'oracle')
		return { unimodal: unimodal.map((output) => oracleSigma(output, labels)), fused: oracleSigma(fused, labels) };
	return { unimodal: constantDeviations(config, predictions), fused: residualSigma(fused, labels) };
}

/** One σ a unimodal model, `[M]`: σ of an instance is no measure of a model. */
function constantDeviations(config: WeightingConfig, predictions: Predictions): number[] {
	const { unimodal, present } = predictions;
	if (config.sigma === 'fixed') return unimodal.map(() => FIXED_SIGMA);
	const labels = labelsOf(predictions, `sigma ${config.sigma}`);
	return unimodal.map((output, m) => residualSigma(output, labels, present?.[m] ?? null));
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
