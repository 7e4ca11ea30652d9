import { counterRandom } from '@steelyard/dataset';
import { OPSET, type Value } from '@steelyard/onnx';
import { sizeOf } from '@steelyard/runtime';
import type { Architecture } from './architecture.js';
import { denseWork } from './chunk.js';
import { maskedSteps } from './examples.js';
import { embed, type FamilyModel, fuse, parametersOf } from './family-model.js';
import { createPredictor } from './predictor.js';

/** Parameters drawn from U(−bound, bound). */
function initialParameters(model: FamilyModel, seed: number, stream: number): Map<string, Float32Array> {
	const random = counterRandom(seed, stream);
	return new Map(
		parametersOf(model).map(({ name, shape, bound }) => [
			name,
			Float32Array.from({ length: sizeOf(shape) }, () => (2 * random.uniform() - 1) * bound),
		]),
	);
}

/** A model of a built-in family as something to train. */
export function familyArchitecture(model: FamilyModel): Architecture {
	const { modalities, outputs } = model;
	const parameters = parametersOf(model);
	return {
		modalities,
		outputs,
		masks: maskedSteps(modalities),
		parameters,
		running: [],
		dropouts: () => [],
		opset: OPSET,
		fixedBatch: null,
		padding: 'zeros',
		initial: (seed, stream) => initialParameters(model, seed, stream),
		work: (_, batch) => denseWork({ parameters, modalities, batch }),
		forward(g, inputs) {
			const embeddings: Value[] = embed(g, model, inputs);
			return { logits: (weights) => fuse(g, model, embeddings, weights, inputs.parameter), running: () => new Map() };
		},
		predictor: (options) => createPredictor(model, options),
		ownModel: null,
	};
}
