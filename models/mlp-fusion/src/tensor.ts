import { tensorWidth } from '@steelyard/contracts';
import { ofEncoder } from '@steelyard/family';
import type { Dim, GraphBuilder, Value } from '@steelyard/onnx';
import { activations, type Fusion, head, headParameters } from './fusion.js';
import { matrix } from './matrix.js';

const projectionOf = (modality: string): string => `encoder.${modality}.projection`;

/** The rows with a 1 appended to each: `[batch, n]` becomes `[batch, n + 1]`. */
const withOne = (g: GraphBuilder, x: Value): Value => {
	const width = x.shape[1] as number;
	return g.op('Pad', [x, g.ints([0, 0, 0, 1]), g.scalar(1)], {}, { shape: [x.shape[0] as Dim, width + 1] });
};

/**
 * Tensor fusion (Zadeh et al. 2017, "Tensor Fusion Network", eq. 2): the outer product of [h_1; 1] … [h_M; 1], with h_m = x_m·P_m a projection of the embedding
 * after ReLU to `tensor_width`, without a bias, so that only the 1 is left of a modality of weight 0. The tensor has (`tensor_width` + 1)^M numbers per instance;
 * a job whose tensor would be too large is not admitted.
 */
export const tensorFusion: Fusion = {
	parameters(settings, modalities, outputs) {
		const width = tensorWidth(settings.tensor_width, modalities.length);
		return [
			...modalities.flatMap((name) => ofEncoder(name, [matrix(projectionOf(name), settings.hidden, width)])),
			...headParameters(settings, (width + 1) ** modalities.length, outputs),
		];
	},

	logits(context, settings, embeddings) {
		const { g, parameter } = context;
		const x = activations(context, settings, embeddings);
		const factors = embeddings.map(({ modality }, m) => withOne(g, g.matMul(x[m] as Value, parameter(projectionOf(modality.name)))));
		const product = factors.reduce((left, right) => {
			const [batch, a, b] = [left.shape[0] as Dim, left.shape[1] as number, right.shape[1] as number];
			return g.reshape(g.mul(g.reshape(left, [batch, a, 1]), g.reshape(right, [batch, 1, b])), [batch, a * b]);
		});
		return head(context, settings, product);
	},
};
