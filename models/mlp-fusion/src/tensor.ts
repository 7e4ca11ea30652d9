import { ProblemError } from '@steelyard/contracts';
import { ofEncoder } from '@steelyard/family';
import type { Dim, GraphBuilder, Value } from '@steelyard/onnx';
import { activations, type Fusion, head, headParameters } from './fusion.js';
import { matrix } from './matrix.js';
import type { Settings } from './settings.js';

/** The most numbers in the tensor of one instance. */
const LARGEST = 20_000;
/** The default width of a projection. */
const WIDTH = 16;

const projectionOf = (modality: string): string => `encoder.${modality}.projection`;

/** Width of the projection of each of `count` embeddings. Throws ProblemError where the tensor would be too large. */
function widthOf({ tensor_width }: Settings, count: number): number {
	const sizeAt = (width: number): number => (width + 1) ** count;
	let most = WIDTH;
	while (most > 1 && sizeAt(most) > LARGEST) most--;
	const width = tensor_width ?? most;
	if (sizeAt(width) <= LARGEST) return width;
	const advice = sizeAt(1) > LARGEST ? 'choose low-rank-tensor' : `choose ${most} or less, or low-rank-tensor`;
	throw new ProblemError(
		'invalid_request',
		`the tensor of ${count} modalities at tensor_width ${width} has (${width} + 1)^${count} = ${sizeAt(width)} numbers per instance, expected at most ${LARGEST}; ${advice}`,
		sizeAt(1) > LARGEST ? 'model.fusion' : 'model.tensor_width',
	);
}

/** A one behind each row, `[batch, n]` → `[batch, n + 1]`. */
const withOne = (g: GraphBuilder, x: Value): Value => {
	const width = x.shape[1] as number;
	return g.op('Pad', [x, g.ints([0, 0, 0, 1]), g.scalar(1)], {}, { shape: [x.shape[0] as Dim, width + 1] });
};

/**
 * Tensor fusion (Zadeh et al. 2017, "Tensor Fusion Network", eq. 2): the outer product of [h_1; 1] … [h_M; 1], with h_m = x_m·P_m a projection of the embedding
 * after ReLU to `tensor_width`, without a bias: of a modality of weight 0 only the 1 is left.
 */
export const tensorFusion: Fusion = {
	parameters(settings, modalities, outputs) {
		const width = widthOf(settings, modalities.length);
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
