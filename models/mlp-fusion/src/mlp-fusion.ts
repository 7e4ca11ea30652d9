import type { MlpFusionConfig } from '@steelyard/contracts';
import { type Family, onlyLogits } from '@steelyard/family';
import { concatenation } from './concatenation.js';
import { crossAttention } from './cross-attention.js';
import { encode, encoderParameters } from './encoder.js';
import type { Fusion } from './fusion.js';
import { gated } from './gated.js';
import { lateAverage } from './late-average.js';
import { lowRankTensor } from './low-rank-tensor.js';
import { type Settings, settingsOf } from './settings.js';
import { tensorFusion } from './tensor.js';

const fusions: { readonly [F in Settings['fusion']]: Fusion } = {
	concatenation,
	tensor: tensorFusion,
	'low-rank-tensor': lowRankTensor,
	gated,
	'cross-attention': crossAttention,
	'late-average': lateAverage,
};

/** One MLP per modality (with a pooling for sequences) gives embeddings of one width; these are weighted and fused, and an MLP is the head. */
export const mlpFusion: Family<MlpFusionConfig> = {
	mixesRows: false,

	parameters(config, modalities, outputs) {
		const settings = settingsOf(config);
		const names = modalities.map(({ name }) => name);
		return [
			...modalities.flatMap((modality) => encoderParameters(settings, modality)),
			...fusions[settings.fusion].parameters(settings, names, outputs),
		];
	},

	embeddingShape: ({ hidden }) => [hidden],

	encode: (context, config, modality, input) => encode(context, settingsOf(config), modality, input),

	fuse(context, config, embeddings) {
		const settings = settingsOf(config);
		return onlyLogits(fusions[settings.fusion].logits(context, settings, embeddings));
	},
};
