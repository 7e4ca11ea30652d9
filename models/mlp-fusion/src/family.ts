import type { GraphBuilder, Value } from '@steelyard/onnx';

/** A modality as a family sees it: `[features]` or `[steps, features]` an instance; `maskedSteps` where a mask says which steps are there. */
export type ModalityShape = { readonly name: string; readonly shape: readonly number[]; readonly maskedSteps: boolean };

/** A parameter with the bound of its uniform initialisation U(−bound, bound). */
export type ParameterSpec = { readonly name: string; readonly shape: readonly number[]; readonly bound: number };

/** What one modality brings to a forward pass: `x` `[batch, …shape]`; `mask` `[batch, steps]` of 0 and 1 where `maskedSteps`. */
export type ModalityInput = { readonly x: Value; readonly mask: Value | null };

/**
 * A model family: encoders that give one embedding a modality, and a fusion of the weighted embeddings.
 * The two are apart so that a second pass under other weights encodes nothing again.
 */
export type Family<Config> = {
	/** Every parameter, in the order of the exported model. */
	parameters(config: Config, modalities: readonly ModalityShape[], outputs: number): ParameterSpec[];
	/** The embedding of one modality, `[batch, width]`. */
	encode(g: GraphBuilder, config: Config, modality: ModalityShape, input: ModalityInput, parameter: (name: string) => Value): Value;
	/** Logits `[batch, outputs]` (values for regression) of embeddings already multiplied by their weights, in the order of the modalities. */
	fuse(g: GraphBuilder, config: Config, embeddings: readonly Value[], parameter: (name: string) => Value): Value;
};
