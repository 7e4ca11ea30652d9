import { type CustomConfig, chosenParameters } from '@steelyard/contracts';
import { type Model, parametersOf } from '@steelyard/onnx';
import type { ParameterShape } from '../model/architecture.js';

/** A parameter to train: `initializer` is its name in the graph, `name` one of its own that differs from every other name of a program. */
export type ChosenParameter = ParameterShape & { readonly initializer: string };

/** The parameters to train, in the order of the model. */
export function chooseParameters(config: CustomConfig, model: Model): ChosenParameter[] {
	const all = parametersOf(model).map((parameter) => ({ ...parameter, shape: [...parameter.shape] }));
	return chosenParameters(config, all).map(({ name, shape }, i) => ({ name: `${i}.${name}`, initializer: name, shape }));
}
