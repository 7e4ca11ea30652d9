import type { TaskProfile } from '@steelyard/contracts';
import {
	type Deviations,
	deviations,
	fitMinMax,
	instanceDivergence,
	instanceWeights,
	modalityInformation,
	modalityWeights,
	type Reals,
	uniformWeights,
	usesDivergence,
	usesInformation,
} from '@steelyard/weighting';
import type { JudgedExamples, Refreshed, Weighed } from '../weigher.js';
import { type BtwConfig, formulaOf } from './btw-config.js';

/** What the weights take from the training rows; plain JSON. */
export type BtwStatistics = {
	/** Mutual information of each modality in nats, `[M]`; null where the weights do not use it. */
	readonly mi: readonly number[] | null;
	/** Smallest and largest divergence of each modality in nats, `[M]`; empty where the weights do not use divergences. */
	readonly min: readonly number[];
	readonly max: readonly number[];
	/** Standard deviation of each unimodal model and of the fused one, in units of the label; null but for regression. */
	readonly sigma: { readonly unimodal: readonly number[]; readonly fused: number } | null;
};

/** Of weights that take nothing from the training rows. */
export const NO_STATISTICS: BtwStatistics = { mi: null, min: [], max: [], sigma: null };

type Outputs = Pick<JudgedExamples<Reals>, 'unimodal' | 'present'>;

const divergences = (task: TaskProfile, { unimodal, present }: Outputs, fused: Reals, sigma: Deviations | null): Float64Array[] =>
	unimodal.map((output, m) =>
		instanceDivergence({
			...{ task: task.type, classes: task.outputs, unimodal: output, fused, present: present[m] ?? null },
			...(sigma === null ? {} : { sigma: { unimodal: sigma.unimodal[m] as number | Reals, fused: sigma.fused } }),
		}),
	);

const shapeOf = ({ count, present }: Pick<JudgedExamples<Reals>, 'count' | 'present'>) => ({ rows: count, modalities: present.length });

/** Deviations that a model can carry: one number per model. */
const constant = (sigma: Deviations | null): BtwStatistics['sigma'] =>
	sigma === null || typeof sigma.fused !== 'number' ? null : { unimodal: sigma.unimodal as readonly number[], fused: sigma.fused };

/**
 * Statistics and weights of the training rows under the fusion model as it is now: mutual information from its output under uniform weights, then the first
 * pass under the weights of whole modalities, its divergences, and the weights of the second pass.
 */
export async function refresh(
	config: BtwConfig,
	task: TaskProfile,
	training: JudgedExamples<Reals>,
	seed: number,
): Promise<Refreshed<BtwStatistics>> {
	const { count, unimodal, present, labels, fused } = training;
	const formula = formulaOf(config);
	const uniform = uniformWeights(count, present);
	if (formula.combine === 'none') return { statistics: NO_STATISTICS, weights: uniform };
	const underUniform = await fused(uniform);
	const form = { task: task.type, classes: task.outputs };
	const mi = usesInformation(formula)
		? modalityInformation({ ...form, unimodal, fused: underUniform, estimator: config.mutual_information, seed, present })
		: null;
	const first = modalityWeights(formula, mi, shapeOf(training), present);
	if (!usesDivergence(formula)) return { statistics: { ...NO_STATISTICS, mi: mi && [...mi] }, weights: first };
	const firstPass = mi === null ? underUniform : await fused(first);
	const sigma = task.type === 'regression' ? deviations(config.sigma, { unimodal, fused: firstPass, labels, present }) : null;
	const divergence = divergences(task, training, firstPass, sigma);
	const { min, max } = fitMinMax(divergence, present);
	const weights = instanceWeights(formula, { mi, min, max }, divergence, present);
	return { statistics: { mi: mi && [...mi], min: [...min], max: [...max], sigma: constant(sigma) }, weights, divergence };
}

/** Weights and prediction of any examples under statistics of the training rows; uniform weights where there are none yet. */
export async function weigh(
	config: BtwConfig,
	task: TaskProfile,
	examples: JudgedExamples,
	statistics: BtwStatistics | null,
): Promise<Weighed> {
	const { count, present, fused } = examples;
	if (statistics === null) {
		const weights = uniformWeights(count, present);
		return { weights, output: await fused(weights) };
	}
	const formula = formulaOf(config);
	const first = modalityWeights(formula, statistics.mi, shapeOf(examples), present);
	const firstPass = await fused(first);
	if (!usesDivergence(formula)) return { weights: first, output: firstPass };
	const weights = instanceWeights(formula, statistics, divergences(task, examples, firstPass, statistics.sigma), present);
	return { weights, output: await fused(weights) };
}
