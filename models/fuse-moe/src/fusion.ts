import type { FuseMoeConfig } from '@steelyard/contracts';
import {
	type ForwardContext,
	type Fused,
	type Meets,
	type ModalityShape,
	meeting,
	type ParameterSpec,
	parameterSpec,
	type WeightedEmbedding,
} from '@steelyard/family';
import { attention, attentionParameters, balanceLoss, layerNorm, layerNormParameters, linear, linearParameters } from '@steelyard/layers';
import type { GraphBuilder, Value } from '@steelyard/onnx';
import { embeddingShape } from './encoders.js';
import { expertLayer, expertLayerParameters } from './expert-layer.js';

/** The tokens of one modality on their way through the layers. */
type Stream = {
	readonly name: string;
	/** `[batch, tokens, width]`. */
	readonly x: Value;
	/** `[batch, tokens]` of 0 and 1: whether the row has them, so that the other modalities may look at them. */
	readonly there: Value;
};

/** The parameters of everything behind the encoders: `position.<modality>`, the attentions, routers and experts of each layer, `norm.<modality>` and the head. */
export function fusionParameters(config: FuseMoeConfig, modalities: readonly ModalityShape[], outputs: number): ParameterSpec[] {
	const { width, layers } = config;
	const names = modalities.map(({ name }) => name);
	const residual = (name: string, keys: Meets): ParameterSpec[] => [
		...meeting('token', layerNormParameters(`${name}.norm`, width)),
		...attentionParameters(name, width, { queries: 'token', keys }),
	];
	const layer = (at: string): ParameterSpec[] => [
		...names.flatMap((name) => residual(`${at}.self.${name}`, 'token')),
		...(names.length === 1 ? [] : names.flatMap((name) => residual(`${at}.cross.${name}`, 'foreign token'))),
		...expertLayerParameters(config, at, names),
	];
	return [
		...modalities.map((modality) => parameterSpec(`position.${modality.name}`, embeddingShape(config, modality), { normal: 0.02 })),
		...Array.from({ length: layers }, (_, i) => layer(`layer.${i}`)).flat(),
		...modalities.flatMap(({ name }) => layerNormParameters(`norm.${name}`, width)),
		...linearParameters('head.0', modalities.length * width, width),
		...linearParameters('head.1', width, outputs),
	];
}

/** The presence of a modality, `[batch, 1]`, for each of its tokens: `[batch, tokens]`. */
const perToken = (g: GraphBuilder, present: Value, tokens: number): Value =>
	g.mul(present, g.constant('float32', [1, tokens], new Array(tokens).fill(1)));

/** The tokens of a modality at the beginning: its weighted embeddings plus their learned positions. */
function opened(
	context: ForwardContext,
	{ dropout }: FuseMoeConfig,
	{ modality: { name }, embedding, present }: WeightedEmbedding,
): Stream {
	const { g, parameter } = context;
	const x = context.dropout(g.add(embedding, parameter(`position.${name}`)), dropout);
	return { name, x, there: perToken(g, present, embedding.shape[1] as number) };
}

/** The stream with x + dropout(y). */
const plus = (context: ForwardContext, { dropout }: FuseMoeConfig, stream: Stream, y: Value): Stream => ({
	...stream,
	x: context.g.add(stream.x, context.dropout(y, dropout)),
});

/** The tokens of a modality look at each other. */
function selfAttention(context: ForwardContext, config: FuseMoeConfig, at: string, stream: Stream): Stream {
	const name = `${at}.self.${stream.name}`;
	const normed = layerNorm(context, stream.x, `${name}.norm`);
	// a row has all tokens of a modality or none; where it has none, nothing reads the result
	return plus(context, config, stream, attention(context, { queries: normed, keys: normed, mask: null }, name, config));
}

/** Each modality looks at the tokens of all others. */
function crossAttention(context: ForwardContext, config: FuseMoeConfig, at: string, streams: readonly Stream[]): readonly Stream[] {
	if (streams.length === 1) return streams;
	const { g } = context;
	const normed = streams.map(({ name, x }) => layerNorm(context, x, `${at}.cross.${name}.norm`));
	const joined = (values: readonly Value[]): Value => (values.length === 1 ? (values[0] as Value) : g.concat(values, 1));
	return streams.map((stream, m) => {
		const others = streams.flatMap((_, o) => (o === m ? [] : [o]));
		const keys = joined(others.map((o) => normed[o] as Value));
		const mask = joined(others.map((o) => (streams[o] as Stream).there));
		const looked = attention(context, { queries: normed[m] as Value, keys, mask }, `${at}.cross.${stream.name}`, config);
		return plus(context, config, stream, looked);
	});
}

/** Linear, ReLU, dropout and Linear over the pooled modalities side by side. */
function head(context: ForwardContext, { dropout }: FuseMoeConfig, pooled: readonly Value[]): Value {
	const { g } = context;
	const joined = pooled.length === 1 ? (pooled[0] as Value) : g.concat(pooled, 1);
	return linear(context, context.dropout(g.op('Relu', [linear(context, joined, 'head.0')]), dropout), 'head.1');
}

/**
 * Pre-norm layers of self attention over a modality's tokens, cross attention to those of the other modalities, and a sparse mixture of experts. A modality is
 * the mean of its normalised tokens times its weight, since the normalisation takes away what the weight did to them; so weight 0 leaves it out of the head. A modality
 * that a row does not have is left out of the cross attention as well.
 */
export function fuse(context: ForwardContext, config: FuseMoeConfig, embeddings: readonly WeightedEmbedding[]): Fused {
	const { g } = context;
	const expertUse = new Map<string, Value>();
	const imbalances: Value[] = [];
	let streams: readonly Stream[] = embeddings.map((one) => opened(context, config, one));
	for (let i = 0; i < config.layers; i++) {
		const at = `layer.${i}`;
		const seen = crossAttention(
			context,
			config,
			at,
			streams.map((stream) => selfAttention(context, config, at, stream)),
		);
		const experts = expertLayer(context, config, at, seen);
		streams = seen.map((stream, m) => plus(context, config, stream, experts.outputs[m] as Value));
		for (const { router, use, imbalance } of experts.routers) {
			expertUse.set(`${i}.${router}`, use);
			imbalances.push(imbalance);
		}
	}
	const pooled = streams.map(({ name, x }, m) => {
		const mean = g.reduce('ReduceMean', layerNorm(context, x, `norm.${name}`), [1], false);
		return g.mul(mean, (embeddings[m] as WeightedEmbedding).weight);
	});
	const auxiliaryLoss = balanceLoss(g, config.balance, imbalances);
	return { logits: head(context, config, pooled), auxiliaryLoss, expertUse };
}
