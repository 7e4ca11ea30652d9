import type { GraphBuilder, Value } from '@steelyard/onnx';
import { modalityWeights, weightingPreset } from '@steelyard/weighting';
import type { Modulation } from '../step/gradient-modulation.js';

/** Outputs of the models for N examples: logits, or raw values for regression, `[N, outputs]` each. */
export type WeigherExamples = {
	readonly count: number;
	/** One a modality; empty where the method has no unimodal models. */
	readonly unimodal: readonly Float32Array[];
	readonly present: ReadonlyArray<Uint8Array | null>;
	/** Raw, as the dataset has them. */
	readonly labels: Float64Array;
	/** The fused output under weights `[N, M]`. */
	readonly fused: (weights: Float32Array) => Promise<Float32Array>;
};

export type Refreshed<Statistics> = {
	/** What the method takes from the training split; plain JSON. */
	readonly statistics: Statistics;
	/** Of the embeddings in training, `[N, M]`. */
	readonly weights: Float32Array;
	/** What is told of the modalities' weights, `[N, M]`, where the embeddings have others. */
	readonly told?: Float32Array;
};

/** What the exported graph knows of a batch when it weighs. */
export type WeighedInputs = {
	/** Outputs `[batch, outputs]` a modality, raw values for regression; empty where `judgesBy` is not `outputs`. */
	readonly unimodal: readonly Value[];
	/** `[batch, M]` of 0 and 1. */
	readonly present: Value;
	/** The fused output under weights `[batch, M]`. */
	readonly fused: (weights: Value) => Value;
};

export type Weighed = {
	/** `[N, M]`. */
	readonly weights: Float32Array;
	/** The prediction, as outputs of a model. */
	readonly output: Float32Array;
	/** The part of it that training changes and the best epoch is chosen by, where `output` joins more to it. */
	readonly own?: Float32Array;
};

/** When the weights are made anew: once before the first step; or on schedule. */
export type Refreshes =
	| { readonly when: 'never' | 'once' }
	| { readonly when: 'epochs' | 'steps'; readonly every: number }
	| { readonly when: 'improvement' };

/** A way to weigh modalities: on the host for training and validation, and as a graph for the exported model. The two follow the same formulas; parity tests bind them. */
export type Weigher<Statistics> = {
	/** Unimodal models a modality: 0; 1, trained on all training rows; or as many as there are folds, each trained without its fold and judging it. */
	readonly models: number;
	/** Whether the weights of an instance need the outputs of the unimodal models, which the export then carries. */
	readonly needsOutputs: boolean;
	readonly refreshes: Refreshes;
	/** How gradients are modulated while training; null where they are not. */
	readonly modulation: Modulation | null;
	/** Share of fresh weights in those of the training rows, as adaptSmoothing takes it. */
	readonly smoothing: { readonly initial: number; readonly step: number; readonly adapt: 'off' | 'raise-on-worse' | 'raise-on-better' };
	/** Statistics and weights of the training rows. */
	refresh(training: WeigherExamples): Promise<Refreshed<Statistics>>;
	/** Mutual information of each modality in nats, where the method has it. */
	information(statistics: Statistics | null): readonly number[] | null;
	/** Weights and prediction of any examples; null stands for the time before the first refresh. */
	weigh(examples: WeigherExamples, statistics: Statistics | null): Promise<Weighed>;
	/** The same as a graph; `divergence` `[batch, M]`, nats, 0 where a modality is missing, of methods that weigh by it. */
	graph(g: GraphBuilder, inputs: WeighedInputs, statistics: Statistics | null): { weights: Value; output: Value; divergence?: Value };
};

/** Weights that take nothing from any model, `[N, M]`: 1, and 0 where a modality is missing. */
export const evenWeights = (count: number, present: WeigherExamples['present']): Float32Array =>
	modalityWeights(weightingPreset('uniform'), null, { rows: count, modalities: present.length }, present);
