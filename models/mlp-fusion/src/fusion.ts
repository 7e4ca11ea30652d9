import type { ForwardContext, ParameterSpec, WeightedEmbedding } from '@steelyard/family';
import type { Value } from '@steelyard/onnx';
import { activated, perceptron, perceptronParameters } from './perceptron.js';
import type { Settings } from './settings.js';

/** One way to fuse: what it adds to the encoders. */
export type Fusion = {
	/** The parameters, of modalities by their names. Throws ProblemError where this fusion cannot take so many modalities. */
	parameters(settings: Settings, modalities: readonly string[], outputs: number): ParameterSpec[];
	/** Logits `[batch, outputs]` of embeddings `[batch, hidden]`, each times its weight. A modality of weight 0 has no influence. */
	logits(context: ForwardContext, settings: Settings, embeddings: readonly WeightedEmbedding[]): Value;
};

/** The parameters of a head over a fused vector `[width]`. */
export const headParameters = ({ hidden, head_layers }: Settings, width: number, outputs: number, name = 'head'): ParameterSpec[] =>
	perceptronParameters(name, [width, ...Array.from({ length: head_layers - 1 }, () => hidden), outputs]);

/** The head over a fused vector `[batch, width]`: logits `[batch, outputs]`. */
export const head = (context: ForwardContext, { head_layers, dropout }: Settings, fused: Value, name = 'head'): Value =>
	perceptron(context, fused, { name, count: head_layers, dropout });

/** Each embedding after ReLU and dropout: zeros where the weight is 0. */
export const activations = (context: ForwardContext, { dropout }: Settings, embeddings: readonly WeightedEmbedding[]): Value[] =>
	embeddings.map(({ embedding }) => activated(context, embedding, dropout));

/** `[batch, n]` each → side by side, `[batch, Σ n]`. */
export const sideBySide = ({ g }: ForwardContext, values: readonly Value[]): Value =>
	values.length === 1 ? (values[0] as Value) : g.concat(values, 1);
