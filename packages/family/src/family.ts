import type { Value } from '@steelyard/onnx';
import type { ForwardContext } from './forward-context.js';
import type { ParameterSpec } from './parameter-spec.js';

/**
 * A modality as a family sees it. An instance of it is `[features]`, `[steps, features]`, or of more axes where the
 * family takes those; `maskedSteps` says whether a mask tells which steps are there. `dtype` is the
 * type of the raw values, float32 unless given; an encoder gets them as float32. `tokens` is how many ids there are where the values are ids of tokens: the encoder then
 * gets a vector, the mean of those of the tokens.
 */
export type ModalityShape = {
	readonly name: string;
	readonly shape: readonly number[];
	readonly maskedSteps: boolean;
	readonly dtype?: Value['dtype'];
	readonly tokens?: number;
};

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

/** The steps of the modality to whose encoder a parameter belongs, which is a sequence. */
export const stepsOfEncoder = ({ encoder }: ParameterSpec, modalities: readonly ModalityShape[]): number =>
	modalities.find(({ name }) => name === encoder)?.shape[0] as number;

/** What a fusion gives. */
export type Fused = {
	/** Logits `[batch, outputs]`, or values for regression. */
	readonly logits: Value;
	/** A scalar that training adds to the loss; null where there is none. */
	readonly auxiliaryLoss: Value | null;
	/** Of a model with experts: `<layer>.<router>` → how much of each row goes to each expert, `[batch, experts]`. Its mean over the rows is reported with a trained model. */
	readonly expertUse: ReadonlyMap<string, Value>;
};

/** A fusion that gives logits and nothing else. */
export const onlyLogits = (logits: Value): Fused => ({ logits, auxiliaryLoss: null, expertUse: new Map() });

/**
 * A model family: encoders that give one embedding per modality, and a fusion of the weighted embeddings.
 * The two are apart so that a second pass under other weights encodes nothing again.
 */
export type Family<Config> = {
	/** Whether in training a row's output or the auxiliary loss depends on other rows of the batch. */
	readonly mixesRows: boolean;
	/** Every parameter, in the order of the exported model. */
	parameters(config: Config, modalities: readonly ModalityShape[], outputs: number): ParameterSpec[];
	/**
	 * About how many multiply-adds a forward pass over a batch costs; it decides how many steps of training make a chunk. Where a family does not say, the
	 * trainer counts as if each parameter met each row once, or each step of the longest sequence.
	 */
	work?(config: Config, modalities: readonly ModalityShape[], outputs: number, batch: number): number;
	/** Shape of an embedding of one instance: `[width]` or `[tokens, width]`. */
	embeddingShape(config: Config, modality: ModalityShape): readonly number[];
	/** The embedding of one modality, `[batch, …embeddingShape]`. */
	encode(context: ForwardContext, config: Config, modality: ModalityShape, input: ModalityInput): Value;
	/** Fuses the embeddings, which come in the order of the modalities. Adds no node on which an embedding depends. */
	fuse(context: ForwardContext, config: Config, embeddings: readonly WeightedEmbedding[]): Fused;
};
