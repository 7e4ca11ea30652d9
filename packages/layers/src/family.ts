import type { GraphBuilder, Value } from '@steelyard/onnx';

/** A modality as a family sees it: `[features]` or `[steps, features]` an instance; `maskedSteps` where a mask says which steps are there. */
export type ModalityShape = { readonly name: string; readonly shape: readonly number[]; readonly maskedSteps: boolean };

/** How the numbers of a parameter begin: U(−uniform, uniform), N(0, normal²), or all alike. */
export type Initialisation = { readonly uniform: number } | { readonly normal: number } | { readonly constant: number };

export type ParameterSpec = { readonly name: string; readonly shape: readonly number[]; readonly initial: Initialisation };

/** Where a layer adds its nodes, and what it may ask for. */
export type ForwardContext = {
	readonly g: GraphBuilder;
	readonly parameter: (name: string) => Value;
	/** In training: x with each number dropped with probability `rate` (0 to below 1) and the others times 1/(1 − rate). Otherwise, and for rate 0, x. */
	readonly dropout: (x: Value, rate: number) => Value;
	/** In training: standard normal numbers of this shape, drawn anew each step. Otherwise null. */
	readonly noise: (shape: readonly number[]) => Value | null;
};

/** The context of a pass outside training. */
export const inference = (g: GraphBuilder, parameter: ForwardContext['parameter']): ForwardContext => ({
	g,
	parameter,
	dropout: (x) => x,
	noise: () => null,
});

/** What one modality brings to a forward pass: `x` `[batch, …shape]`; `mask` `[batch, steps]` of 0 and 1 where `maskedSteps`. */
export type ModalityInput = { readonly x: Value; readonly mask: Value | null };

/**
 * An embedding `[batch, …]` times its weight `[batch, 1]`. `present` `[batch, 1]` is 1 where the row has the modality, else 0; where it is 0 the weight is 0 too, but a
 * weight of 0 does not mean that the modality is missing.
 */
export type WeightedEmbedding = {
	readonly modality: ModalityShape;
	readonly embedding: Value;
	readonly weight: Value;
	readonly present: Value;
};

export type Fused = {
	/** Logits `[batch, outputs]`, or values for regression. */
	readonly logits: Value;
	/** A scalar that training adds to the loss; null where there is none. */
	readonly auxiliary: Value | null;
	/** By name, values `[batch, n]` whose means over the rows are told of a trained model. */
	readonly statistics: ReadonlyMap<string, Value>;
};

/** The logits and nothing else. */
export const onlyLogits = (logits: Value): Fused => ({ logits, auxiliary: null, statistics: new Map() });

/**
 * A model family: encoders that give one embedding a modality, and a fusion of the weighted embeddings.
 * The two are apart so that a second pass under other weights encodes nothing again.
 */
export type Family<Config> = {
	/** Whether in training a row's output or the auxiliary loss depends on other rows of the batch. */
	readonly mixesRows: boolean;
	/** Every parameter, in the order of the exported model. The names of those that only one modality uses begin with `encoder.<modality>.`. */
	parameters(config: Config, modalities: readonly ModalityShape[], outputs: number): ParameterSpec[];
	/**
	 * Multiply-adds of a forward pass over a batch, about, by which a chunk of training is kept short. Where a family does not say: as if each parameter met each
	 * row once, or each step of the longest sequence.
	 */
	work?(config: Config, modalities: readonly ModalityShape[], outputs: number, batch: number): number;
	/** Shape of an embedding of one instance: `[width]` or `[tokens, width]`. */
	embeddingShape(config: Config, modality: ModalityShape): readonly number[];
	/** The embedding of one modality, `[batch, …embeddingShape]`. */
	encode(context: ForwardContext, config: Config, modality: ModalityShape, input: ModalityInput): Value;
	/** In the order of the modalities. Adds no node on which an embedding depends. */
	fuse(context: ForwardContext, config: Config, embeddings: readonly WeightedEmbedding[]): Fused;
};
