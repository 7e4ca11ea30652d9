import type { FuseMoeConfig } from '@steelyard/contracts';
import { type ModalityShape, multiplyAdds, type ParameterSpec, stepsOfEncoder } from '@steelyard/family';
import { embeddingShape } from './encoders.js';

/** About how many multiply-adds a forward pass over a batch costs: the size of each parameter times the rows, steps or tokens of a row that meet it. */
export function workOf(
	config: FuseMoeConfig,
	modalities: readonly ModalityShape[],
	parameters: readonly ParameterSpec[],
	batch: number,
): number {
	const tokens = modalities.map((modality) => embeddingShape(config, modality)[0]).reduce((sum, count) => sum + count, 0);
	const perModality = tokens / modalities.length;
	const routed = (config.router === 'disjoint' ? perModality : tokens) * (config.top_k / config.experts);
	const timesPerRow = (parameter: ParameterSpec): number => {
		switch (parameter.meets) {
			case 'row':
				return 1;
			case 'step':
				return stepsOfEncoder(parameter, modalities);
			case 'token':
				return perModality;
			case 'routed token':
				return routed;
			case 'foreign token':
				return perModality * (modalities.length - 1);
		}
	};
	return batch * multiplyAdds(parameters, timesPerRow);
}
