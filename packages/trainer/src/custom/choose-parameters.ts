import { type CustomConfig, ProblemError } from '@steelyard/contracts';
import { type Model, parametersOf } from '@steelyard/onnx';
import type { ParameterShape } from '../architecture.js';

/** A parameter that is trained: under the name of its initializer, and under one of its own that cannot meet any other name of a program. */
export type ChosenParameter = ParameterShape & { readonly initializer: string };

/** Whether a name fits a glob, in which * stands for any characters. */
export const fits = (name: string, glob: string): boolean =>
	new RegExp(
		`^${glob
			.split('*')
			.map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
			.join('[^]*')}$`,
	).test(name);

/** The parameters to train, in the order of the model: those found trainable, narrowed by `trainable`, without `frozen`. Throws ProblemError `invalid_model`. */
export function chooseParameters(config: CustomConfig, model: Model): ChosenParameter[] {
	const all = parametersOf(model);
	for (const field of ['trainable', 'frozen'] as const)
		for (const glob of config[field] ?? []) {
			const named = all.filter(({ name }) => fits(name, glob));
			if (named.length === 0)
				throw new ProblemError('invalid_model', `no parameter of the model has a name like "${glob}"`, `model.${field}`);
			if (field === 'trainable' && !named.some(({ trainable }) => trainable))
				throw new ProblemError('invalid_model', `"${named[0]?.name}" cannot be trained: ${named[0]?.reason}`, 'model.trainable');
		}
	const chosen = all.filter(
		({ name, trainable }) =>
			trainable &&
			(config.trainable?.some((glob) => fits(name, glob)) ?? true) &&
			!(config.frozen?.some((glob) => fits(name, glob)) ?? false),
	);
	const other = chosen.find(({ dtype }) => dtype !== 'float32');
	if (other !== undefined)
		throw new ProblemError('invalid_model', `the parameter "${other.name}" is ${other.dtype}; only float32 can be trained`, 'model.model');
	return chosen.map(({ name, shape }, i) => ({ name: `${i}.${name}`, initializer: name, shape }));
}
