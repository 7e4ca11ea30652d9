import { ofEncoder } from '@steelyard/family';
import type { Dim, Value } from '@steelyard/onnx';
import { activations, type Fusion, head, headParameters, sideBySide } from './fusion.js';
import { matrix } from './matrix.js';
import { activated } from './perceptron.js';

const projections = ['query', 'key', 'value'] as const;
type Projection = (typeof projections)[number];

const projectionOf = (modality: string, role: Projection): string => `encoder.${modality}.${role}`;

/**
 * Cross-modal attention (Tsai et al. 2019, "Multimodal Transformer for Unaligned Multimodal Language Sequences", §3.1, with one token per modality and without its
 * layer norms): y_m = x_m + MultiHead(x_m; the other modalities), softmax over the others of q·k/√(hidden/heads), and the y side by side. x_m is the
 * embedding after ReLU; no biases. A modality that the row does not have is not attended to; one that has no other to attend to is left as it is.
 */
export const crossAttention: Fusion = {
	parameters(settings, modalities, outputs) {
		const { hidden } = settings;
		const attention =
			modalities.length === 1
				? []
				: [
						...modalities.flatMap((name) =>
							ofEncoder(
								name,
								projections.map((role) => matrix(projectionOf(name, role), hidden, hidden)),
							),
						),
						matrix('attention.output', hidden, hidden),
					];
		return [...attention, ...headParameters(settings, hidden * modalities.length, outputs)];
	},

	logits(context, settings, embeddings) {
		const { g, parameter } = context;
		const { hidden, heads, dropout } = settings;
		const count = embeddings.length;
		const x = activations(context, settings, embeddings);
		const tokens = sideBySide(context, x);
		if (count === 1) return head(context, settings, tokens);
		const batch = tokens.shape[0] as Dim;
		/** `[batch, heads, modalities, hidden/heads]`. */
		const projected = (role: Projection): Value => {
			const each = embeddings.map(({ modality }, m) => g.matMul(x[m] as Value, parameter(projectionOf(modality.name, role))));
			return g.transpose(g.reshape(g.concat(each, 1), [batch, count, heads, hidden / heads]), [0, 2, 1, 3]);
		};
		const others = g.constant(
			'float32',
			[1, 1, count, count],
			Array.from({ length: count * count }, (_, i) => (i % (count + 1) === 0 ? 0 : 1)),
		);
		const there = g.concat(
			embeddings.map(({ present }) => present),
			1,
		);
		/** 1 where row m may attend to column k, `[batch, 1, modalities, modalities]`. */
		const allowed = g.mul(g.reshape(there, [batch, 1, 1, count]), others);
		const scores = g.scale(Math.sqrt(heads / hidden), g.matMul(projected('query'), g.transposed(projected('key'))));
		const masked = g.add(scores, g.scale(1e9, g.sub(allowed, g.scalar(1))));
		const attention = g.mul(g.op('Softmax', [masked], { axis: 3 }), allowed);
		const attended = g.reshape(g.transpose(g.matMul(attention, projected('value')), [0, 2, 1, 3]), [batch, count, hidden]);
		const answer = g.reshape(g.matMul(attended, parameter('attention.output')), [batch, count * hidden]);
		return head(context, settings, activated(context, g.add(tokens, answer), dropout));
	},
};
