import { sizeOf, type Tensor } from '@steelyard/runtime';
import type { Predictor, PredictorOptions } from './architecture.js';
import { inBatches, taken } from './examples.js';
import { type FamilyModel, familyOf } from './family-model.js';
import { parameterState } from './parameter-layout.js';
import { filledPorts } from './port.js';
import { embedGraph, fuseGraph, loadPredictGraph } from './predict-program.js';
import { encodedAs } from './token-modalities.js';
import { embeddingName } from './value-names.js';

const NO_WEIGHTS = new Float32Array(0);

/** Predicts by a model of a built-in family, whose encoders run once for any number of weights. */
export async function createPredictor(model: FamilyModel, options: PredictorOptions): Promise<Predictor> {
	const { modalities } = model;
	const encoder = await loadPredictGraph(embedGraph(model, options.standardisation), options);
	const fusion = await loadPredictGraph(fuseGraph(model), options);
	const { ascending } = options;
	const { mean, deviation } = options.scale;
	const session = options.stoppable(encoder.session);
	return {
		async encode(examples, parameters) {
			const count = examples.rows.length;
			const state = parameterState(parameters);
			const embeddings = modalities.map((modality) => {
				const shape = familyOf(model).embeddingShape(model.config, encodedAs(model.config, modality));
				return { name: embeddingName(modality.name), shape, size: sizeOf(shape), data: new Float32Array(count * sizeOf(shape)) };
			});
			await inBatches(count, null, async (places, start) => {
				const batch = { ...taken(examples, places), weights: NO_WEIGHTS };
				const embedded = await session.run({ ...state, ...filledPorts(encoder.ports, batch) });
				for (const { name, size, data } of embeddings) data.set((embedded[name] as Tensor).data as Float32Array, start * size);
			});
			return async (weights) => {
				const inputs: Record<string, Tensor> = { ...state, ...filledPorts(fusion.ports, { ...examples, weights }) };
				for (const { name, shape, data } of embeddings) inputs[name] = { dtype: 'float32', shape: [count, ...shape], data };
				const logits = ((await fusion.session.run(inputs))['logits'] as Tensor).data as Float32Array;
				const values = mean === 0 && deviation === 1 ? logits : logits.map((value) => Math.fround(Math.fround(value * deviation) + mean));
				if (ascending) for (let at = 0; at < values.length; at += model.outputs) values.subarray(at, at + model.outputs).sort();
				return values;
			};
		},
		visit: null,
		async dispose() {
			await encoder.session.release();
			await fusion.session.release();
		},
	};
}
