import { type JobResource, type JobSpec, ProblemError, projectOf, warmStartOf } from '@steelyard/contracts';
import type { Queue } from '@steelyard/queue';
import type { Datasets } from '../datasets/datasets.js';
import type { InProject } from '../keys/caller.js';
import type { Models } from '../models/models.js';
import type { Named } from './admission.js';

type Parts = { queue: Queue; datasets: Datasets; models: Models };

/** Gives what a spec names, all of one project. It throws ProblemError where the dataset is not there. */
export function createLookUp({ queue, datasets, models }: Parts): (owner: InProject, spec: JobSpec) => Promise<Named> {
	/** The job of a project that a spec begins with; null where there is none. */
	async function findSource({ project }: InProject, { training }: JobSpec): Promise<JobResource | null> {
		const start = warmStartOf(training);
		const source = start === null ? null : await queue.jobs.get(start.job);
		return source === null || projectOf(source) !== project ? null : source;
	}

	return async (owner, spec) => {
		const { dataset, model } = spec;
		const found = await datasets.find(owner, dataset);
		if (found === null)
			throw new ProblemError('dataset_not_found', `There is no dataset ${dataset}: it was deleted, or never existed`, 'dataset');
		return {
			dataset: found,
			model: model.family === 'custom' ? await models.find(owner, model.model) : null,
			source: await findSource(owner, spec),
		};
	};
}
