import type { MmimMoeConfig } from '@steelyard/contracts';
import type { Family, ForwardContext } from '@steelyard/family';
import { balanceLoss, linear, linearParameters } from '@steelyard/layers';
import type { Dim, Value } from '@steelyard/onnx';
import { encode, encoderParameters } from './encoder.js';
import { layerParameters, mixingLayer } from './layer.js';
import { stacked, type Tokens } from './tokens.js';
import { workOf } from './work.js';

/** Three linear layers with tanh between them, over the embeddings side by side. */
function head(context: ForwardContext, { dropout }: MmimMoeConfig, x: Tokens): Value {
	const { g } = context;
	const [batch, count, width] = x.shape as [Dim, number, number];
	const tanh = (h: Value): Value => context.dropout(g.op('Tanh', [h]), dropout);
	const first = tanh(linear(context, g.reshape(x, [batch, count * width]), 'head.0'));
	return linear(context, tanh(linear(context, first, 'head.1')), 'head.2');
}

/** The sentiment model of BTW (arXiv 2508.18551): one embedding per modality, layers of attention or convolution over them and sparse experts, a head. */
export const mmimMoe: Family<MmimMoeConfig> = {
	mixesRows: true,

	parameters(config, modalities, outputs) {
		const { width, layers } = config;
		const names = modalities.map(({ name }) => name);
		return [
			...modalities.flatMap((modality) => encoderParameters(config, modality)),
			...Array.from({ length: layers }, (_, i) => layerParameters(config, `layer.${i}`, names)).flat(),
			...linearParameters('head.0', width * modalities.length, width),
			...linearParameters('head.1', width, width),
			...linearParameters('head.2', width, outputs),
		];
	},

	work: (config, modalities, outputs, batch) => workOf(config, modalities, mmimMoe.parameters(config, modalities, outputs), batch),

	embeddingShape: ({ width }) => [width],

	encode,

	fuse(context, config, embeddings) {
		const { g } = context;
		const names = embeddings.map(({ modality }) => modality.name);
		const expertUse = new Map<string, Value>();
		const imbalances: Value[] = [];
		let tokens = stacked(
			g,
			embeddings.map(({ embedding }) => embedding),
		);
		for (let i = 0; i < config.layers; i++) {
			const mixed = mixingLayer(context, config, tokens, `layer.${i}`, names);
			tokens = mixed.y;
			imbalances.push(...mixed.imbalance);
			for (const [router, use] of mixed.use) expertUse.set(`${i}.${router}`, use);
		}
		const auxiliaryLoss = balanceLoss(g, config.balance, imbalances);
		return { logits: head(context, config, tokens), auxiliaryLoss, expertUse };
	},
};
