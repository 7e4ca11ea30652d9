import { familyOf } from '../families/families.js';
import type { DatasetFields, ModelInterface } from '../families/family.js';
import type { ProblemError } from '../problems.js';
import type { JobSpec } from '../spec.js';
import { informationProblems, weightingProblems } from '../weighting.js';
import { modalitiesOf, modalityProblems, repetitionProblems } from './modalities.js';
import { lossChoiceProblems, lossProblems, metricProblems, positionProblems } from './task.js';

/** What is wrong between fields of a spec that are valid one by one: what is left to check when its dataset is not known. */
export function specProblems(spec: JobSpec): ProblemError[] {
	const { model, training, weighting } = spec;
	const { knowsEncoders, specProblems: ofFamily } = familyOf(model);
	return [
		...repetitionProblems(spec),
		...lossChoiceProblems(spec),
		...weightingProblems(weighting, { epochs: training.epochs, knowsEncoders }),
		...(ofFamily?.(model, { training, weighting }) ?? []),
	];
}

/**
 * Everything that stands against training a job, the most basic first; empty where nothing does.
 *
 * @param spec valid by its schema, every default filled in
 * @param dataset what the profile of the dataset says of its modalities and its task
 * @param model what an uploaded graph takes, gives and learns; null for a built-in family, and where it is not known yet: then what depends on it is not checked
 */
export function admit(spec: JobSpec, dataset: DatasetFields, model: ModelInterface | null): ProblemError[] {
	const { training, weighting } = spec;
	const task = dataset.task.type;
	const parts = { training, weighting, dataset, modalities: modalitiesOf(spec, dataset), model };
	return [
		...specProblems(spec),
		...modalityProblems(spec, dataset),
		...positionProblems(spec, dataset.task),
		...lossProblems(spec, task),
		...informationProblems(weighting, task),
		...metricProblems(spec, dataset.task),
		...(familyOf(spec.model).dataProblems?.(spec.model, parts) ?? []),
	];
}
