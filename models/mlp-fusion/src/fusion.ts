import type { ForwardContext, ParameterSpec, WeightedEmbedding } from '@steelyard/family';
import type { Value } from '@steelyard/onnx';
import { activated, perceptron, perceptronParameters } from './perceptron.js';
import type { Settings } from './settings.js';

/** What a way to fuse adds to the encoders. */
export type Fusion = {
	/** `modalities` are names. Throws ProblemError where a fusion of so many does not fit. */
	parameters(settings: Settings, modalities: readonly string[], outputs: number): ParameterSpec[];
	/** Logits `[batch, outputs]` of embeddings `[batch, hidden]`, each times its weight. A modality of weight 0 has no say. */
	logits(context: ForwardContext, settings: Settings, embeddings: readonly WeightedEmbedding[]): Value;
};

/** The head over a fused vector of a width. */
export const headParameters = ({ hidden, head_layers }: Settings, width: number, outputs: number, name = 'head'): ParameterSpec[] =>
	perceptronParameters(name, [width, ...Array.from({ length: head_layers - 1 }, () => hidden), outputs]);

export const head = (context: ForwardContext, { head_layers, dropout }: Settings, fused: Value, name = 'head'): Value =>
	perceptron(context, fused, { name, count: head_layers, dropout });

/** Each embedding after ReLU and dropout: zeros where the weight is 0. */
export const activations = (context: ForwardContext, { dropout }: Settings, embeddings: readonly WeightedEmbedding[]): Value[] =>
	embeddings.map(({ embedding }) => activated(context, embedding, dropout));

export const sideBySide = ({ g }: ForwardContext, values: readonly Value[]): Value =>
	values.length === 1 ? (values[0] as Value) : g.concat(values, 1);
