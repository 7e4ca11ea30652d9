import type { TaskProfile } from '@steelyard/contracts';
import {
	FIXED_SIGMA,
	fitMinMax,
	instanceDivergence,
	instanceWeights,
	modalityInformation,
	modalityWeights,
	residualSigma,
	usesDivergence,
	usesInformation,
	type WeightingConfig,
} from '@steelyard/weighting';
import { evenWeights, type WeigherExamples } from './weigher.js';

/** What the weights take from the training split: mutual information, range of the divergences, deviations of the regression models. */
export type WeightingStatistics = {
	/** `[M]`; null where the weighting does not use it. */
	readonly mi: Float64Array | null;
	readonly min: Float64Array;
	readonly max: Float64Array;
	/** Standard deviation of each unimodal model and of the fused one, in units of the label; null but for regression. */
	readonly sigma: { readonly unimodal: readonly number[]; readonly fused: number } | null;
};

/** Of weights that take nothing from the training split. */
export const NO_STATISTICS: WeightingStatistics = { mi: null, min: new Float64Array(0), max: new Float64Array(0), sigma: null };

function divergences(
	task: TaskProfile,
	examples: WeigherExamples,
	fused: Float32Array,
	sigma: WeightingStatistics['sigma'],
): Float64Array[] {
	return examples.unimodal.map((unimodal, m) =>
		instanceDivergence({
			task: task.type,
			classes: task.outputs,
			unimodal,
			fused,
			...(sigma === null ? {} : { sigma: { unimodal: sigma.unimodal[m] as number, fused: sigma.fused } }),
		}),
	);
}

const shapeOf = ({ count, present }: WeigherExamples) => ({ rows: count, modalities: present.length });

/**
 * Statistics and weights of the training examples under the current fused model: mutual information from its output under even weights, then the first
 * pass under the modality weights, its divergences, and the weights of the second pass.
 */
export async function refresh(
	config: WeightingConfig,
	task: TaskProfile,
	examples: WeigherExamples,
	seed: number,
): Promise<{ statistics: WeightingStatistics; weights: Float32Array }> {
	const { unimodal, present, labels } = examples;
	const even = evenWeights(examples.count, present);
	if (config.combine === 'none') return { statistics: NO_STATISTICS, weights: even };
	const underEven = await examples.fused(even);
	const mi =
		usesInformation(config) && config.mi !== 'none'
			? modalityInformation({ task: task.type, classes: task.outputs, unimodal, fused: underEven, estimator: config.mi, seed, present })
			: null;
	const first = modalityWeights(config, mi, shapeOf(examples), present);
	if (!usesDivergence(config)) return { statistics: { ...NO_STATISTICS, mi }, weights: first };
	const firstPass = mi === null ? underEven : await examples.fused(first);
	const sigma =
		task.type !== 'regression'
			? null
			: config.sigma === 'fixed'
				? { unimodal: unimodal.map(() => FIXED_SIGMA), fused: FIXED_SIGMA }
				: {
						unimodal: unimodal.map((output, m) => residualSigma(output, labels, present[m] ?? null)),
						fused: residualSigma(firstPass, labels),
					};
	const D = divergences(task, examples, firstPass, sigma);
	const range = fitMinMax(D, present);
	const statistics = { mi, ...range, sigma };
	return { statistics, weights: instanceWeights(config, statistics, D, present) };
}

/** Weights and fused output of any examples under statistics of the training split; even weights where there are none yet. */
export async function weigh(
	config: WeightingConfig,
	task: TaskProfile,
	examples: WeigherExamples,
	statistics: WeightingStatistics | null,
): Promise<{ weights: Float32Array; output: Float32Array }> {
	const first =
		statistics === null
			? evenWeights(examples.count, examples.present)
			: modalityWeights(config, statistics.mi, shapeOf(examples), examples.present);
	const firstPass = await examples.fused(first);
	if (statistics === null || !usesDivergence(config)) return { weights: first, output: firstPass };
	const weights = instanceWeights(config, statistics, divergences(task, examples, firstPass, statistics.sigma), examples.present);
	return { weights, output: await examples.fused(weights) };
}
