import type { GraphBuilder, Value } from '@steelyard/onnx';
import { type Loss, likelihoodOf } from './loss.js';

/**
 * On-the-fly gradient modulation with generalisation enhancement, OGM-GE (Peng et al. 2022, "Balanced multimodal learning via on-the-fly gradient
 * modulation"), for any number of modalities. In a step, with p_i the likelihood that the model gives to the label of row i:
 *
 * - s_m = Σ_i p_i where every modality but m weighs 0, and ρ_m = s_m / (the mean of s over the other modalities)
 * - k_m = 1 − tanh(α·ρ_m) where ρ_m > 1, else 1: what runs ahead learns more slowly
 * - a gradient G of the encoder of m becomes k_m·G + std(G)·n, n standard normal
 *
 * The authors split the last layer of a concatenation to tell what a modality alone would say, and add noise to convolutions only; weighing the others 0
 * does so for any fusion, and the noise here is added to all weights of at least two axes.
 */
export type Modulation = { readonly alpha: number };

/** k of each modality, scalars, of logits `[batch, outputs]` with that modality alone. */
export function modulationFactors(
	g: GraphBuilder,
	{ alpha }: Modulation,
	alone: readonly Value[],
	loss: Loss,
	target: Value,
	weight: Value,
): Value[] {
	const score = alone.map((logits) => g.sumAll(g.mul(likelihoodOf(g, loss, logits, target), weight)));
	const total = score.reduce((a, b) => g.add(a, b));
	return score.map((s) => {
		const others = g.scale(1 / (score.length - 1), g.sub(total, s));
		const ratio = g.div(s, g.op('Max', [others, g.scalar(1e-12)]));
		const ahead = g.cast(g.op('Greater', [ratio, g.scalar(1)], {}, { dtype: 'bool', shape: [] }), 'float32');
		return g.sub(g.scalar(1), g.mul(ahead, g.op('Tanh', [g.scale(alpha, ratio)])));
	});
}

/** k·G, and of a matrix k·G + std(G)·n for `noise` n of G's shape. */
export function modulated(g: GraphBuilder, gradient: Value, factor: Value, noise: Value | null): Value {
	const scaled = g.mul(gradient, factor);
	if (noise === null) return scaled;
	const axes = gradient.shape.map((_, axis) => axis);
	const centred = g.sub(gradient, g.reduce('ReduceMean', gradient, axes));
	const deviation = g.op('Sqrt', [g.reduce('ReduceMean', g.mul(centred, centred), axes)]);
	return g.add(scaled, g.mul(deviation, noise));
}
