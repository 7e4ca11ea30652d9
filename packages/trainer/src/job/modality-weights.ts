import type { JobResult } from '@steelyard/contracts';
import { summariseWeights } from '@steelyard/weighting';
import { presence } from '../model/examples.js';
import type { ChosenModel } from './chosen-model.js';
import type { Judged } from './explanation-artifacts.js';
import type { Job } from './job.js';

/** How far each modality counted over the rows of a split that have it. */
export function modalityWeightsOf(
	{ modalities }: Job,
	{ weigher, statistics }: ChosenModel,
	{ examples, evaluation }: Judged,
): JobResult['modality_weights'] {
	const information = weigher.information(statistics);
	const present = modalities.map((modality) => presence(examples, modality));
	const summary = summariseWeights(evaluation.weights, { rows: examples.rows.length, modalities: modalities.length }, present);
	const named = modalities.map(({ name }, m) => [name, { ...summary[m], mutual_information: information?.[m] ?? null }]);
	return Object.fromEntries(named) as JobResult['modality_weights'];
}
