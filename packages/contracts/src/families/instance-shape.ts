import { type ModalityProfile, maskOf } from '../dataset.js';
import { ProblemError } from '../problems.js';
import type { JobParts } from './family.js';

/** The encoders of a built-in family read every modality of the job: vectors, sequences and, where the family `flattens` them, instances of more axes. */
export function* instanceProblems(
	{ dataset, modalities }: Pick<JobParts, 'dataset' | 'modalities'>,
	{ family, flattens }: { family: string; flattens: boolean },
): Iterable<ProblemError> {
	const taken = `[features] or [steps, features]${flattens ? ', or more axes, which it reads as one vector' : ''}`;
	for (const name of modalities.filter((one) => Object.hasOwn(dataset.modalities, one))) {
		const modality = dataset.modalities[name] as ModalityProfile;
		const { shape } = modality;
		const found = `the modality ${name} is [${shape.join(', ')}]`;
		const refuse = (message: string) => new ProblemError('invalid_model', message, 'model.family');
		if (shape.length > 2 && !flattens)
			yield refuse(`${family} takes ${taken}, but ${found}; mlp-fusion reads it as one vector, a custom model as it is`);
		if (shape.length > 2 && flattens && maskOf(modality) === 'steps')
			yield refuse(
				`${found} with a mask for each of its ${shape[0]} steps, which ${family} does not take; store it as a sequence (rows, ${shape[0]}, ${shape.slice(1).reduce((size, axis) => size * axis, 1)}), or use a custom model`,
			);
		if (shape.length === 1 && maskOf(modality) === 'steps' && modality.tokens === undefined)
			yield refuse(
				`${found} with a mask for each of its ${shape[0]} numbers, which ${family} does not take; store it as a sequence (rows, ${shape[0]}, 1), say by "tokens" in the manifest that they are ids of tokens, give it a mask (rows,), or use a custom model`,
			);
	}
}
