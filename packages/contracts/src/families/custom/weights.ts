import { listed } from '../../listed.js';
import type { ProblemError } from '../../problems.js';
import { givesWeights, type WeightingSpec } from '../../weighting.js';
import type { ModelInterface } from '../family.js';
import type { CustomConfig } from './config.js';
import { weightInput } from './inputs.js';
import { misfit } from './misfit.js';

/** The graph has a place for the weight of each modality: an input for it, or a value before the output that it multiplies. */
export function* weightProblems(
	{ embeddings = {}, output }: CustomConfig,
	weighting: WeightingSpec,
	used: readonly string[],
	inputs: ModelInterface['inputs'],
): Iterable<ProblemError> {
	if (!givesWeights(weighting)) return;
	const names = new Set(inputs.map(({ name }) => name));
	const withoutInput = used.filter((modality) => !names.has(weightInput(modality)));
	const withoutPlace = withoutInput.filter((modality) => !Object.hasOwn(embeddings, modality));
	if (withoutPlace.length > 0)
		yield misfit(
			`The weighting ${weighting.preset} has no place for the weight of ${listed(withoutPlace)}: give the model an input w.<modality> that multiplies the modality's embedding, or name that embedding in model.embeddings`,
			`model.embeddings.${withoutPlace[0]}`,
		);
	for (const modality of withoutInput)
		if (output !== undefined && embeddings[modality] === output)
			yield misfit(`"${output}" is the output itself; expected a value before it`, `model.embeddings.${modality}`);
}
