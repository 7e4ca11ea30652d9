import { sizeOf, type Tensor } from '@steelyard/runtime';
import type { Predictor, PredictorOptions } from './architecture.js';
import { EVALUATION_BATCH, inBatches, taken } from './examples.js';
import { type FamilyModel, familyOf } from './family-model.js';
import { parameterState } from './parameter-layout.js';
import { type Batch, filledPorts } from './port.js';
import { embedGraph, fuseGraph, loadPredictGraph } from './predict-program.js';
import { encodedAs } from './token-modalities.js';
import { embeddingName } from './value-names.js';

const NO_WEIGHTS = new Float32Array(0);

/** How many numbers of embeddings a predictor deals with. */
export type PredictorLimits = {
	/** So many are kept: those of more rows are computed again for every set of weights. */
	readonly kept: number;
	/** So many are fused in one run, which takes several times their memory. */
	readonly fused: number;
};

const LIMITS: PredictorLimits = { kept: 2 ** 25, fused: 2 ** 22 };

/** The embeddings of a modality, `[rows, …shape]`. */
type Embedding = { readonly name: string; readonly shape: readonly number[]; readonly size: number; readonly data: Float32Array };

/** Predicts by a model of a built-in family, whose encoders run once for any number of weights. */
export async function createPredictor(model: FamilyModel, options: PredictorOptions, limits: PredictorLimits = LIMITS): Promise<Predictor> {
	const { modalities } = model;
	const encoder = await loadPredictGraph(embedGraph(model, options.standardisation), options);
	const fusion = await loadPredictGraph(fuseGraph(model), options);
	const { ascending } = options;
	const { mean, deviation } = options.scale;
	const session = options.stoppable(encoder.session);
	const shapes = modalities.map((modality) => {
		const shape = familyOf(model).embeddingShape(model.config, encodedAs(model.config, modality));
		return { name: embeddingName(modality.name), shape, size: sizeOf(shape) };
	});
	const perRow = shapes.reduce((sum, { size }) => sum + size, 0);
	return {
		async encode(examples, parameters) {
			const count = examples.rows.length;
			const state = parameterState(parameters);
			const atOnce = Math.max(EVALUATION_BATCH, Math.floor(limits.fused / perRow));
			const encoded = async (from: number, until: number): Promise<Embedding[]> => {
				const embeddings = shapes.map((one) => ({ ...one, data: new Float32Array((until - from) * one.size) }));
				await inBatches(until - from, null, async (places, start) => {
					const own = places.map((place) => from + place);
					const embedded = await session.run({ ...state, ...filledPorts(encoder.ports, { ...taken(examples, own), weights: NO_WEIGHTS }) });
					for (const { name, size, data } of embeddings) data.set((embedded[name] as Tensor).data as Float32Array, start * size);
				});
				return embeddings;
			};
			const fused = async (part: Batch, embeddings: readonly Embedding[]): Promise<Float32Array> => {
				const inputs: Record<string, Tensor> = { ...state, ...filledPorts(fusion.ports, part) };
				for (const { name, shape, data } of embeddings) inputs[name] = { dtype: 'float32', shape: [part.rows.length, ...shape], data };
				return ((await fusion.session.run(inputs))['logits'] as Tensor).data as Float32Array;
			};
			const kept = count * perRow <= limits.kept ? await encoded(0, count) : null;
			const between = (from: number, until: number): Embedding[] | Promise<Embedding[]> =>
				kept?.map((one) => ({ ...one, data: one.data.subarray(from * one.size, until * one.size) })) ?? encoded(from, until);
			return async (weights) => {
				const logits = new Float32Array(count * model.outputs);
				for (let from = 0; from < count; from += atOnce) {
					const until = Math.min(count, from + atOnce);
					const ofPart = weights.subarray(from * modalities.length, until * modalities.length);
					const part = { ...examples, rows: examples.rows.subarray(from, until), weights: ofPart };
					logits.set(await fused(part, await between(from, until)), from * model.outputs);
				}
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
