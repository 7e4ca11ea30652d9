import type { MmimMoeConfig } from '@steelyard/contracts';
import { type ModalityShape, multiplyAdds, type ParameterSpec, stepsOfEncoder } from '@steelyard/family';

/** About how many multiply-adds a forward pass over a batch costs: the size of each parameter times the rows, steps or tokens of the batch that meet it. */
export function workOf(
	{ router, top_k, experts }: MmimMoeConfig,
	modalities: readonly ModalityShape[],
	parameters: readonly ParameterSpec[],
	batch: number,
): number {
	const tokens = batch * modalities.length;
	// experts of one modality see the tokens of that modality alone
	const routed = tokens * (router === 'disjoint' ? 1 / modalities.length : 1) * (top_k / experts);
	const timesPerBatch = (parameter: ParameterSpec): number => {
		switch (parameter.meets) {
			case 'row':
				return batch;
			case 'step':
				return batch * stepsOfEncoder(parameter, modalities);
			case 'token':
			case 'foreign token':
				return tokens;
			case 'routed token':
				return routed;
		}
	};
	return multiplyAdds(parameters, timesPerBatch);
}
