import { sizeOf, type Tensor } from '@steelyard/runtime';
import { EVALUATION_BATCH } from '../job/evaluate.js';
import type { Predictor, PredictorOptions } from './architecture.js';
import { forwardInputs, inBatches, maskedSteps } from './examples.js';
import { type FamilyModel, familyOf } from './family-model.js';
import { compileEmbedProgram, compileFuseProgram } from './predict-program.js';

/** Predicts by a model of a built-in family, whose encoders run once for any number of weights. */
export async function createPredictor(model: FamilyModel, options: PredictorOptions): Promise<Predictor> {
	const { modalities } = model;
	const masks = maskedSteps(modalities);
	const encoder = await compileEmbedProgram(model, options.standardisation, options);
	const fusion = await compileFuseProgram(model, options);
	const { mean, deviation } = options.scale;
	return {
		async encode(examples, parameters) {
			const count = examples.rows.length;
			const embeddings = modalities.map((modality) => {
				const shape = familyOf(model).embeddingShape(model.config, modality);
				return { shape, size: sizeOf(shape), data: new Float32Array(count * sizeOf(shape)) };
			});
			await inBatches(examples, EVALUATION_BATCH, async (chosen) => {
				const embedded = await encoder.run({ ...parameters, ...forwardInputs(examples, modalities, masks, chosen) });
				modalities.forEach(({ name }, m) => {
					const { size, data } = embeddings[m] as (typeof embeddings)[number];
					data.set((embedded[`embedding.${name}`] as Tensor).data as Float32Array, (chosen[0] as number) * size);
				});
			});
			return async (weights) => {
				const inputs: Record<string, Tensor> = { ...parameters };
				modalities.forEach(({ name }, m) => {
					const own = Float32Array.from({ length: count }, (_, i) => weights[i * modalities.length + m] as number);
					const { shape, data } = embeddings[m] as (typeof embeddings)[number];
					inputs[`embedding.${name}`] = { dtype: 'float32', shape: [count, ...shape], data };
					inputs[`w.${name}`] = { dtype: 'float32', shape: [count, 1], data: own };
				});
				const logits = ((await fusion.run(inputs))['logits'] as Tensor).data as Float32Array;
				return mean === 0 && deviation === 1 ? logits : logits.map((value) => Math.fround(Math.fround(value * deviation) + mean));
			};
		},
		async dispose() {
			await encoder.release();
			await fusion.release();
		},
	};
}
