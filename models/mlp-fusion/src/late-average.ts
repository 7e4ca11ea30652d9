import { ofEncoder } from '@steelyard/family';
import type { Value } from '@steelyard/onnx';
import { type Fusion, head, headParameters } from './fusion.js';
import { activated } from './perceptron.js';

/** The smallest divisor, which keeps quotients finite where a weight is 0. */
const FLOOR = 1e-12;

const headOf = (modality: string): string => `encoder.${modality}.head`;

/**
 * Late fusion: one head per modality, and the mean of their logits by weight, Σ_m w_m·head_m(e_m) / Σ_m w_m. A head sees its embedding without the weight, which is
 * divided out again. Logits are 0 where every weight is. (Kittler et al. 1998, "On combining classifiers": the sum rule, on logits and weighted.)
 */
export const lateAverage: Fusion = {
	parameters: (settings, modalities, outputs) =>
		modalities.flatMap((name) => ofEncoder(name, headParameters(settings, settings.hidden, outputs, headOf(name)))),

	logits(context, settings, embeddings) {
		const { g } = context;
		const floored = (weight: Value): Value => g.op('Max', [weight, g.scalar(FLOOR)]);
		const weighted = embeddings.map(({ modality, embedding, weight }) => {
			const own = activated(context, g.div(embedding, floored(weight)), settings.dropout);
			return g.mul(head(context, settings, own, headOf(modality.name)), weight);
		});
		return g.div(weighted.reduce(g.add), floored(embeddings.map(({ weight }) => weight).reduce(g.add)));
	},
};
