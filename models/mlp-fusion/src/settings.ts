import { DEFAULT_HEADS, type MlpFusionConfig } from '@steelyard/contracts';

/** A config with every choice made. */
export type Settings = Required<Omit<MlpFusionConfig, 'family' | 'tensor_width' | 'token_width'>> & Pick<MlpFusionConfig, 'tensor_width'>;

export const settingsOf = (config: MlpFusionConfig): Settings => ({
	dropout: 0,
	input_dropout: 0,
	pooling: 'attention',
	fusion: 'concatenation',
	rank: 4,
	heads: DEFAULT_HEADS,
	...config,
});
