import { ofEncoder } from '@steelyard/family';
import type { Dim } from '@steelyard/onnx';
import { activations, type Fusion, head, headParameters, sideBySide } from './fusion.js';
import { matrix } from './matrix.js';

const valueOf = (modality: string): string => `encoder.${modality}.value`;

/**
 * Gated multimodal unit of M modalities (Arevalo et al. 2017, "Gated Multimodal Units for Information Fusion", §3.1): h = Σ_m z_m ⊙ tanh(x_m·V_m) with
 * gates z_m = σ([x_1 … x_M]·Z_m), where x_m is the embedding after ReLU. No biases, as there: a modality of weight 0 adds nothing.
 */
export const gated: Fusion = {
	parameters(settings, modalities, outputs) {
		const { hidden } = settings;
		const all = hidden * modalities.length;
		return [
			...modalities.flatMap((name) => ofEncoder(name, [matrix(valueOf(name), hidden, hidden)])),
			matrix('gate', all, all),
			...headParameters(settings, hidden, outputs),
		];
	},

	logits(context, settings, embeddings) {
		const { g, parameter } = context;
		const x = activations(context, settings, embeddings);
		const values = embeddings.map(({ modality }, m) => g.matMul(x[m] as (typeof x)[number], parameter(valueOf(modality.name))));
		const gates = g.op('Sigmoid', [g.matMul(sideBySide(context, x), parameter('gate'))]);
		const open = g.mul(gates, g.op('Tanh', [sideBySide(context, values)]));
		const batch = open.shape[0] as Dim;
		return head(context, settings, g.reduceSum(g.reshape(open, [batch, embeddings.length, settings.hidden]), [1], false));
	},
};
