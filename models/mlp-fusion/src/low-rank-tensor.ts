import { ofEncoder, parameterSpec } from '@steelyard/family';
import { linear } from '@steelyard/layers';
import type { Dim, Value } from '@steelyard/onnx';
import { activations, type Fusion, head, headParameters } from './fusion.js';
import { matrix } from './matrix.js';

const factorOf = (modality: string): string => `encoder.${modality}.factor`;

/**
 * Low-rank tensor fusion (Liu et al. 2018, "Efficient Low-rank Multimodal Fusion", eq. 6, with the learnt rank weights of their code): h = Σ_r a_r·⊙_m ([x_m; 1]·W_m^r) + b,
 * where x_m is the embedding after ReLU; the row of W that meets the 1 is a bias, which begins at 1 so that the product neither vanishes nor grows with M.
 */
export const lowRankTensor: Fusion = {
	parameters(settings, modalities, outputs) {
		const { hidden, rank } = settings;
		return [
			...modalities.flatMap((name) =>
				ofEncoder(name, [
					matrix(`${factorOf(name)}.weight`, hidden, rank * hidden),
					parameterSpec(`${factorOf(name)}.bias`, [rank * hidden], { constant: 1 }),
				]),
			),
			matrix('rank.weight', rank, 1),
			parameterSpec('rank.bias', [hidden], { constant: 0 }),
			...headParameters(settings, hidden, outputs),
		];
	},

	logits(context, settings, embeddings) {
		const { g, parameter } = context;
		const { hidden, rank } = settings;
		const x = activations(context, settings, embeddings);
		const product = embeddings.map(({ modality }, m) => linear(context, x[m] as Value, factorOf(modality.name))).reduce(g.mul);
		const batch = product.shape[0] as Dim;
		const weighted = g.mul(g.reshape(product, [batch, rank, hidden]), parameter('rank.weight'));
		return head(context, settings, g.add(g.reduceSum(weighted, [1], false), parameter('rank.bias')));
	},
};
