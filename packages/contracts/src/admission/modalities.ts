import { familyOf } from '../families/families.js';
import type { DatasetFields } from '../families/family.js';
import { listed } from '../listed.js';
import { ProblemError } from '../problems.js';
import type { JobSpec } from '../spec.js';

type Asked = { readonly names: readonly string[]; readonly paramOf: (i: number) => string };

/** The modalities that a job asks for, and the field that names each: `modalities`, or the config of the model; all of the dataset where neither does. */
function askedOf({ model, modalities }: JobSpec, dataset: DatasetFields): Asked {
	const config = familyOf(model).modalities?.(model);
	if (modalities !== undefined || config === undefined)
		return { names: modalities ?? Object.keys(dataset.modalities), paramOf: (i) => `modalities.${i}` };
	return { names: config.names, paramOf: (i) => `${config.param}.${config.names[i]}` };
}

/**
 * The names of the modalities that a job uses, in their order in the model: those that the job names; where it names none, those that the config of its model
 * names; where that names none either, all of the dataset.
 */
export const modalitiesOf = (spec: JobSpec, dataset: DatasetFields): readonly string[] => askedOf(spec, dataset).names;

/** A job names no modality twice. TypeBox's `uniqueItems` would say so too, but its errors take quadratic time. */
export function* repetitionProblems({ modalities = [] }: JobSpec): Iterable<ProblemError> {
	const seen = new Set<string>();
	for (const [i, name] of modalities.entries()) {
		if (seen.has(name)) yield new ProblemError('invalid_request', `modalities names "${name}" twice`, `modalities.${i}`);
		seen.add(name);
	}
}

/** The dataset has every modality of the job. */
export function* modalityProblems(spec: JobSpec, dataset: DatasetFields): Iterable<ProblemError> {
	const { names, paramOf } = askedOf(spec, dataset);
	for (const [i, name] of names.entries())
		if (!Object.hasOwn(dataset.modalities, name))
			yield new ProblemError(
				'modality_not_found',
				`The dataset has no modality ${name}; it has ${listed(Object.keys(dataset.modalities))}`,
				paramOf(i),
			);
}
