import { type CustomConfig, chosenParameters, ProblemError, parametersNamed } from '@steelyard/contracts';
import { type Model, parametersOf } from '@steelyard/onnx';
import type { ParameterShape } from '../model/architecture.js';

/** A parameter that is trained: under the name of its initializer, and under one of its own that cannot meet any other name of a program. */
export type ChosenParameter = ParameterShape & { readonly initializer: string };

const refuse = (param: string, detail: string): never => {
	throw new ProblemError('invalid_model', detail, param);
};

/** The parameters to train, in the order of the model: those found trainable or named in full, narrowed by `trainable`, without `frozen`. Throws ProblemError `invalid_model`. */
export function chooseParameters(config: CustomConfig, model: Model): ChosenParameter[] {
	const all = parametersOf(model).map((parameter) => ({ ...parameter, shape: [...parameter.shape] }));
	for (const field of ['trainable', 'frozen'] as const)
		for (const glob of config[field] ?? []) {
			const named = parametersNamed(glob, all);
			if (named.length === 0) refuse(`model.${field}`, `no parameter of the model has a name like "${glob}"`);
			if (field === 'trainable' && !named.some(({ name, trainable }) => trainable || name === glob))
				refuse('model.trainable', `"${named[0]?.name}" cannot be trained: ${named[0]?.reason}`);
		}
	const chosen = chosenParameters(config, all);
	const other = chosen.find(({ dtype }) => dtype !== 'float32');
	if (other !== undefined) refuse('model.model', `the parameter "${other.name}" is ${other.dtype}; only float32 can be trained`);
	return chosen.map(({ name, shape }, i) => ({ name: `${i}.${name}`, initializer: name, shape }));
}
