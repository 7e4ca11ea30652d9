import type { TaskProfile } from '@steelyard/contracts';
import type { GraphBuilder, Value } from '@steelyard/onnx';
import type { Reals, Smoothing } from '@steelyard/weighting';
import type { Modulation } from '../step/gradient-modulation.js';

/** What the models make of N examples: logits, or raw values for regression, `[N, outputs]` per model. */
export type JudgedExamples<Output extends Reals = Float32Array> = {
	readonly count: number;
	/** The output of the unimodal models, one array per modality; empty where the method has no unimodal models. */
	readonly unimodal: readonly Output[];
	/** Which examples have the modality, per modality: 1 where they do, 0 where not; null where all do. */
	readonly present: ReadonlyArray<Uint8Array | null>;
	/** As the dataset has them: a class index or a value, `[N]`, or 0 and 1, `[N, labels]`, for multilabel. */
	readonly labels: Reals;
	/** The output of the fusion model under weights `[N, M]`. */
	readonly fused: (weights: Float32Array) => Promise<Output>;
};

/** What a refresh gives: statistics of the training rows, and their weights. */
export type Refreshed<Statistics> = {
	/** What the method takes from the training rows, by which it weighs all others; plain JSON. */
	readonly statistics: Statistics;
	/** The weights of the embeddings while training, `[N, M]`. */
	readonly weights: Float32Array;
	/** The weights that are reported, `[N, M]`, where they are not those of the embeddings. */
	readonly reported?: Float32Array;
	/** KL(unimodal ‖ fused) of M modalities in nats, `[N]` each, 0 where the modality is missing; of methods that weigh by it. */
	readonly divergence?: readonly Float64Array[];
};

/** Weights and prediction of examples. */
export type Weighed = {
	/** `[N, M]`. */
	readonly weights: Float32Array;
	/** The prediction, in the form of a model's output. */
	readonly output: Float32Array;
	/** The part of the prediction that training changes, by which the best epoch is chosen, where `output` joins more to it. */
	readonly own?: Float32Array;
};

/** What the exported graph knows of a batch when it weighs. */
export type WeighedInputs = {
	/** Outputs `[batch, outputs]` per modality, raw values for regression; empty where the weigher does not need them. */
	readonly unimodal: readonly Value[];
	/** `[batch, M]` of 0 and 1. */
	readonly present: Value;
	/** Adds the fusion model under weights `[batch, M]` to the graph, and gives its output. */
	readonly fused: (weights: Value) => Value;
};

/** When the weights are made anew: never, once before the first step, or on a schedule. */
export type Refreshes =
	| { readonly when: 'never' | 'once' }
	| { readonly when: 'epochs' | 'steps'; readonly every: number }
	| { readonly when: 'improvement' };

/**
 * A weighting method with its choices made: how it weighs the modalities of training rows, of any other rows, and in the exported graph. Host and graph follow
 * the same formulas; parity tests bind the two.
 */
export type Weigher<Statistics> = {
	/** Unimodal models per modality: 0; 1, trained on all training rows; or one per fold, each trained without the fold that it judges. */
	readonly models: number;
	/** Whether the weights of an instance need the outputs of the unimodal models, which the exported model then carries. */
	readonly needsOutputs: boolean;
	readonly refreshes: Refreshes;
	/** Whether a job exports its best epoch before the first refresh where that is better on validation than what the method made. */
	readonly guard: boolean;
	/** How gradients are modulated while training; null where they are not. */
	readonly modulation: Modulation | null;
	/** How the fresh weights of the training rows are mixed with those that the rows had. */
	readonly smoothing: Smoothing;
	/** Statistics and weights of the training rows under the models as they are now. */
	refresh(training: JudgedExamples<Reals>): Promise<Refreshed<Statistics>>;
	/** Mutual information of each modality in nats; null where the method does not estimate it. */
	information(statistics: Statistics | null): readonly number[] | null;
	/** Weights and prediction of any examples; null stands for the time before the first refresh. */
	weigh(examples: JudgedExamples, statistics: Statistics | null): Promise<Weighed>;
	/** The same as a graph. `divergence` `[batch, M]` is in nats, 0 where a modality is missing; of methods that weigh by it. */
	graph(g: GraphBuilder, inputs: WeighedInputs, statistics: Statistics | null): { weights: Value; output: Value; divergence?: Value };
};

/** For methods whose weights of the training rows are those of the last refresh alone. */
export const NO_SMOOTHING: Smoothing = { initial: 1, step: 0, adapt: 'off' };

/** A weighting method: the one thing that its folder gives. */
export type WeightingMethod<Config extends object> = {
	/** Whether its refresh fits a model of the labels, whatever the task; the statistics of the fit are then reported. */
	readonly fitsLabels: boolean;
	/** Whether it changes gradients, and not what is predicted: then fixed predictions say nothing about it. */
	readonly weighsGradients: boolean;
	/** `seed` is that of the job, for methods that draw random numbers. */
	readonly weigher: (config: Config, task: TaskProfile, seed: number) => Weigher<unknown>;
};

/** A preset: a method, and what each of its choices is unless a job chooses otherwise. The choices have the names that a job gives them. */
export type WeightingPresetOf<Config extends object> = {
	readonly method: WeightingMethod<Config>;
	readonly defaults: Config;
};
