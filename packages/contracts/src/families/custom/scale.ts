import type { ProblemError } from '../../problems.js';
import type { JobParts, ModelInterface } from '../family.js';
import type { CustomConfig } from './config.js';
import { misfit } from './misfit.js';
import { shown } from './shapes.js';

const FLOATING = ['float32', 'float16', 'bfloat16'];

/** What is scaled goes into an input of floating numbers, and mean and std have a number for each of its channels. */
export function* scaleProblems(
	{ inputs, scale = {} }: CustomConfig,
	{ dataset }: Pick<JobParts, 'dataset'>,
	graphInputs: ModelInterface['inputs'],
): Iterable<ProblemError> {
	const byName = new Map(graphInputs.map((input) => [input.name, input]));
	for (const [modality, { mean, std, axis = 1 }] of Object.entries(scale)) {
		const param = `model.scale.${modality}`;
		const input = Object.hasOwn(inputs, modality) ? byName.get(inputs[modality] as string) : undefined;
		if (input === undefined) continue;
		const { name, dtype, shape, limit } = input;
		if (limit !== undefined)
			yield misfit(`The input "${name}" of the model takes ids of the rows of "${limit.table}", which no scale fits; leave it out`, param);
		else if (!FLOATING.includes(dtype))
			yield misfit(
				`The input "${name}" of the model takes ${dtype}; model.scale gives float32: leave ${modality} out of it, or export the model with a float32 input`,
				param,
			);
		if (mean === undefined && std === undefined) continue;
		if (axis >= shape.length) {
			yield misfit(
				`The input "${name}" of the model has the shape ${shown(shape)}; expected an axis from 1 to ${shape.length - 1}`,
				`${param}.axis`,
			);
			continue;
		}
		const instance = Object.hasOwn(dataset.modalities, modality) ? dataset.modalities[modality]?.shape : undefined;
		const channels = typeof shape[axis] === 'number' ? shape[axis] : instance?.[axis - 1];
		for (const [field, numbers] of Object.entries({ mean, std }))
			if (numbers !== undefined && channels !== undefined && numbers.length !== channels)
				yield misfit(
					`model.scale.${modality}.${field} has length ${numbers.length}, but axis ${axis} of the input "${name}" of the model, ${shown(shape)}, has ${channels}; give a number for each, or the axis of the channels`,
					`${param}.${field}`,
				);
	}
}
