import type { TaskProfile, WeightingPreset } from '@steelyard/contracts';
import {
	deviations,
	type InformationEstimator,
	instanceDivergence,
	modalityInformation,
	outputWidth,
	type Presence,
	type Reals,
	rowsOf,
	type SigmaChoice,
	type WeightFormula,
	WeightingError,
	type WeightingTask,
} from '@steelyard/weighting';
import { PRESETS } from './presets.js';
import { weigherOf } from './weigher-of.js';

/** What N instances were predicted to be, by anyone's models: logits, or values for regression, `[N, width]` each (`outputWidth`). */
export type FixedPredictions = {
	readonly task: WeightingTask;
	/** Classes of `multiclass`, labels of `multilabel`; not read otherwise. */
	readonly classes: number;
	readonly fused: Reals;
	/** One array per modality, M in all; `consensus` wants each row by a model that was not trained on it. */
	readonly unimodal: readonly Reals[];
	readonly present?: Presence;
	/** Class index, 0 or 1 (binary) or value, `[N]`; 0 or 1, `[N, labels]`, for multilabel. Needed by `consensus`, and by regression unless `sigma` is `fixed`. */
	readonly labels?: Reals | null;
};

/** A preset, with what replaces choices of its method; `sigma` and `mutual_information` also say how divergence and information are reported. */
export type PredictionWeighting = {
	readonly preset: WeightingPreset;
	readonly combine?: WeightFormula['combine'];
	readonly direction?: WeightFormula['direction'];
	readonly normalise?: WeightFormula['normalise'];
	readonly renormalise?: WeightFormula['renormalise'];
	readonly information_scale?: WeightFormula['informationScale'];
	readonly mutual_information?: InformationEstimator;
	readonly sigma?: SigmaChoice;
	readonly epsilon?: number;
};

export type WeighedPredictions = {
	/** KL(unimodal ‖ fused) of M modalities before any normalisation, in nats, `[N]` each; 0 where the modality is missing. */
	readonly divergence: readonly Float64Array[];
	/** Mutual information of each modality in nats, `[M]`, at least 1e-5. */
	readonly information: readonly number[];
	/** `[N, M]`, row-major. */
	readonly weights: Float32Array;
	/** What the method was fitted to, as plain data; null for methods that fit no model of the labels. */
	readonly statistics: object | null;
};

/** What a preset makes of predictions, before they are known. */
export type PredictionNeeds = {
	/** The replaced choice that the preset's method does not have; null where it has all. */
	readonly stray: keyof PredictionWeighting | null;
	/** Whether there is something to weigh: false for methods that change gradients. */
	readonly weighable: boolean;
	/** Whether weights are fitted to the labels, whatever the task. */
	readonly fitsLabels: boolean;
	/** The deviations that the divergence of a regression takes; all but `fixed` need labels. */
	readonly sigma: SigmaChoice;
};

const REPORTED: ReadonlyArray<keyof PredictionWeighting> = ['preset', 'mutual_information', 'sigma'];

export function predictionNeeds(weighting: PredictionWeighting): PredictionNeeds {
	const { method, defaults } = PRESETS[weighting.preset];
	const names = Object.keys(weighting) as Array<keyof PredictionWeighting>;
	return {
		stray: names.find((name) => !REPORTED.includes(name) && !Object.hasOwn(defaults, name)) ?? null,
		weighable: !method.weighsGradients,
		fitsLabels: method.fitsLabels,
		sigma: weighting.sigma ?? ('sigma' in defaults ? defaults.sigma : 'residual'),
	};
}

/**
 * One refresh of a method on fixed predictions. There is no model to ask again, so the one fused prediction serves where a job has two: mutual information and
 * divergence are both taken against it. There is no history either, so nothing is smoothed. Divergence and information are reported whether the weights use
 * them or not; where nothing names an estimator of the information it is `ksg`.
 *
 * @param seed of the noise by which `ksg` breaks ties
 * @throws WeightingError `shape`, `not_finite`, or `configuration` where labels are needed and missing, or where the preset weighs gradients
 */
export async function weighPredictions(
	weighting: PredictionWeighting,
	predictions: FixedPredictions,
	seed: number,
): Promise<WeighedPredictions> {
	const { classes, fused, unimodal, labels } = predictions;
	const { weighable, fitsLabels, sigma } = predictionNeeds(weighting);
	const { preset, mutual_information: estimator = 'ksg' } = weighting;
	if (!weighable)
		throw new WeightingError('configuration', `${preset}: expected a method that weighs predictions, found one that weighs gradients`);
	const regression = predictions.task === 'regression';
	if (!labels && (fitsLabels || (regression && sigma !== 'fixed')))
		throw new WeightingError('configuration', `labels: expected for ${fitsLabels ? preset : `sigma ${sigma}`}, found none`);

	const task: TaskProfile = { type: predictions.task, classes: [], outputs: outputWidth(predictions.task, classes) };
	const form = { task: task.type, classes: task.outputs };
	const present = predictions.present ?? unimodal.map(() => null);
	const known = { count: rowsOf('fused output', fused, task.outputs), unimodal, present, labels: labels ?? new Float64Array(0) };
	const weigher = weigherOf(weighting, task, seed);
	const { statistics, weights, reported = weights, divergence } = await weigher.refresh({ ...known, fused: async () => fused });

	const divergences = (): Float64Array[] => {
		const by = regression ? deviations(sigma, { ...known, fused }) : null;
		return unimodal.map((output, m) =>
			instanceDivergence({
				...{ ...form, unimodal: output, fused, present: present[m] ?? null },
				...(by && { sigma: { unimodal: by.unimodal[m] as number | Reals, fused: by.fused } }),
			}),
		);
	};
	return {
		divergence: divergence ?? divergences(),
		information: weigher.information(statistics) ?? [...modalityInformation({ ...form, unimodal, fused, estimator, seed, present })],
		weights: reported,
		statistics: fitsLabels ? (statistics as object) : null,
	};
}
