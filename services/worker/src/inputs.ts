import { basename, join } from 'node:path';
import { TRAINING_STATE, warmStartOf } from '@steelyard/contracts';
import type { Attempt, Queue } from '@steelyard/queue';
import { type Digest, datasetKeys, jobKeys, modelKeys, type Patience, type ServiceStore } from '@steelyard/store';

/** What a trainer reads, as paths of this machine. */
export type Inputs = {
	/** A folder. */
	dataset: string;
	/** The graph of an uploaded model, where the spec names one. */
	model?: string;
	/** What another job has kept, with which this one begins. Where that job is gone it is the path of a file that is absent, which the trainer tells. */
	source?: string;
};

type Parts = { queue: Pick<Queue, 'jobs'>; store: ServiceStore };

/** Runs an action with what a job reads, which stays as long as it runs. It waits while what has to be copied here cannot be. Throws ProblemError. */
export async function withInputs<T>(
	{ queue, store: { files } }: Parts,
	{ spec }: Attempt['job'],
	patience: Patience,
	action: (inputs: Inputs) => Promise<T>,
): Promise<T> {
	const start = warmStartOf(spec.training);

	async function withModel(inputs: Inputs): Promise<T> {
		if (spec.model.family !== 'custom') return withSource(inputs);
		const { model } = spec.model;
		const name = basename(modelKeys.graph(model));
		return files.withFolder(modelKeys.folder(model), (folder) => withSource({ ...inputs, model: join(folder, name) }), patience);
	}
	async function withSource(inputs: Inputs): Promise<T> {
		if (start === null) return action(inputs);
		const from = await queue.jobs.get(start.job);
		const kept: Digest | null = from?.artifacts.find(({ name }) => name === TRAINING_STATE) ?? null;
		const key = jobKeys.artifact(start.job, from?.attempt ?? 0, TRAINING_STATE);
		return files.withFile(key, kept, (source) => action({ ...inputs, source }), patience);
	}
	return files.withFolder(datasetKeys.folder(spec.dataset), (dataset) => withModel({ dataset }), patience);
}
