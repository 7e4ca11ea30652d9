import { ProblemError } from '../../problems.js';
import type { Family, JobFields, JobParts } from '../family.js';
import { auxiliaryFieldProblems, auxiliaryProblems, targetProblems } from './auxiliary.js';
import { CustomConfig } from './config.js';
import { batchProblems, inputProblems, mappingProblems } from './inputs.js';
import { loraProblems } from './lora.js';
import { outputProblems } from './output.js';
import { lossFieldProblems, ownLossProblems } from './own-loss.js';
import { parameterProblems, starProblems } from './parameters.js';
import { scaleProblems } from './scale.js';
import { weightProblems } from './weights.js';

function* specProblems(config: CustomConfig, job: JobFields): Iterable<ProblemError> {
	yield* lossFieldProblems(config, job);
	yield* auxiliaryFieldProblems(config, job);
	if (job.training.standardize === true)
		yield new ProblemError(
			'invalid_request',
			'training.standardize is not there for a custom model: its graph takes the raw values and standardises them itself',
			'training.standardize',
		);
}

/** The graph takes the modalities of the job and gives what the task needs. Values inside the graph are not known here; the trainer checks those. */
function* dataProblems(config: CustomConfig, job: JobParts): Iterable<ProblemError> {
	const { training, weighting, dataset, modalities, model } = job;
	yield* mappingProblems(config, modalities);
	const targets = [...targetProblems(config, dataset)];
	yield* targets;
	if (model === null) return;
	yield* inputProblems(config, job, model.inputs);
	yield* scaleProblems(config, job, model.inputs);
	if (config.output !== undefined) yield* outputProblems({ ...config, output: config.output }, model.outputs, dataset.task);
	if (targets.length === 0) yield* auxiliaryProblems(config, model, dataset);
	yield* ownLossProblems(config, model, dataset.task);
	yield* batchProblems(model.inputs, training.batch_size);
	const stars = [...starProblems(config, model.parameters)];
	yield* stars;
	if (stars.length === 0) {
		yield* parameterProblems(config, model.parameters);
		yield* loraProblems(config, model.parameters);
	}
	yield* weightProblems(config, weighting, modalities, model.inputs);
}

export const custom: Family<'custom', typeof CustomConfig> = {
	name: 'custom',
	schema: CustomConfig,
	knowsEncoders: false,
	givesPositions: true,
	modalities: ({ inputs }) => ({ names: Object.keys(inputs), param: 'model.inputs' }),
	specProblems,
	dataProblems,
};
