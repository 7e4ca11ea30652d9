import type { FuseMoeConfig } from '@steelyard/contracts';
import type { Family } from '@steelyard/family';
import { embeddingShape, encode, encoderParameters } from './encoders.js';
import { fuse, fusionParameters } from './fusion.js';
import { workOf } from './work.js';

/**
 * Several embeddings per modality, from time attention (mTAND) or a recurrent network over its steps; then cross-modal transformer layers whose feed-forward part is
 * a sparse mixture of experts. After FuseMoE (Han et al. 2024).
 */
export const fuseMoe: Family<FuseMoeConfig> = {
	mixesRows: true,
	parameters: (config, modalities, outputs) => [
		...modalities.flatMap((modality) => encoderParameters(config, modality)),
		...fusionParameters(config, modalities, outputs),
	],
	work: (config, modalities, outputs, batch) => workOf(config, modalities, fuseMoe.parameters(config, modalities, outputs), batch),
	embeddingShape,
	encode,
	fuse,
};
