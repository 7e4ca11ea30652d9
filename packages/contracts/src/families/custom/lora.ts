import { listed } from '../../listed.js';
import type { ModelParameter } from '../../model.js';
import type { ProblemError } from '../../problems.js';
import type { CustomConfig } from './config.js';
import { misfit } from './misfit.js';
import { finderOf } from './parameters.js';

const isMatrix = ({ shape }: ModelParameter): boolean => shape.length === 2;

/** The matrices whose names fit a glob of `lora.match`, in the order of the model; none without `lora`. */
export function adaptedMatrices({ lora }: Pick<CustomConfig, 'lora'>, parameters: readonly ModelParameter[]): ModelParameter[] {
	const find = finderOf(parameters);
	const named = new Set((lora?.match ?? []).flatMap((glob) => find(glob)));
	return parameters.filter((parameter) => isMatrix(parameter) && named.has(parameter));
}

/** Every glob of `lora.match` names a matrix, all of these are float32, and none is too small for the rank. */
export function* loraProblems(config: CustomConfig, parameters: readonly ModelParameter[]): Iterable<ProblemError> {
	const { lora } = config;
	if (lora === undefined) return;
	const matrices = parameters.filter(isMatrix).map(({ name }) => name);
	const find = finderOf(parameters);
	for (const [i, glob] of lora.match.entries()) {
		const named = find(glob);
		const param = `model.lora.match.${i}`;
		if (named.length === 0)
			yield misfit(
				`model.lora.match names "${glob}", which no parameter of the model is called; its matrices are ${listed(matrices)}`,
				param,
			);
		else if (!named.some(isMatrix))
			yield misfit(
				`model.lora.match names "${glob}", but "${named[0]?.name}" is [${named[0]?.shape.join(', ')}] and no matrix; its matrices are ${listed(matrices)}`,
				param,
			);
	}
	for (const { name, dtype, shape } of adaptedMatrices(config, parameters)) {
		if (dtype !== 'float32') yield misfit(`The matrix "${name}" is ${dtype}; model.lora adapts float32 alone`, 'model.lora.match');
		const most = Math.min(...shape);
		if (lora.rank > most)
			yield misfit(
				`The matrix "${name}" is [${shape.join(', ')}], for which a rank of ${lora.rank} is too large: choose at most ${most}, or leave it out of model.lora.match`,
				'model.lora.rank',
			);
	}
}
