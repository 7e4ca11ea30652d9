/** Every choice of the weighting, as plain data. A preset is one of these; a job may override its fields. */
export interface WeightingConfig {
	/** What an instance's weight is made of: its divergence (`kl`), its modality's mutual information (`mi`), their product, or nothing. */
	readonly combine: 'none' | 'mi' | 'kl' | 'kl+mi';
	/** Whether the weight grows with the normalised divergence, or falls as exp(−D̃). */
	readonly direction: 'divergence' | 'agreement';
	/** `minmax` per modality over the training split, or `row` over the modalities of the instance. */
	readonly normalise: 'minmax' | 'row';
	/** Scale of the weights of one instance: as they come, sum 1, or mean 1 over the modalities that it has. */
	readonly renormalise: 'none' | 'sum1' | 'mean1';
	/** Estimator of the mutual information; `none` where `combine` does not use it. */
	readonly mi: 'none' | 'ksg' | 'argmax';
	/** Standard deviations of the regression divergence: `FIXED_SIGMA` for all models, or each model's `residualSigma`. */
	readonly sigma: 'fixed' | 'residual';
	readonly smoothing: SmoothingConfig;
	/** Epochs between two refreshes of the training weights. */
	readonly refreshEpochs: number;
}

export interface SmoothingConfig {
	/** Share of the fresh weights at the first refresh, in [0, 1]. */
	readonly initial: number;
	/** By how much that share moves after a refresh. */
	readonly step: number;
	/** On which change of the validation loss it rises; on the other it falls. */
	readonly adapt: 'off' | 'raise-on-worse' | 'raise-on-better';
}

const btw: WeightingConfig = {
	combine: 'kl+mi',
	direction: 'agreement',
	normalise: 'minmax',
	renormalise: 'mean1',
	mi: 'ksg',
	sigma: 'residual',
	smoothing: { initial: 0.5, step: 0.05, adapt: 'off' },
	refreshEpochs: 5,
};

const presets = {
	/** Every modality weighs 1. */
	uniform: { ...btw, combine: 'none', mi: 'none' },
	/** Modality weights only, equal for all instances. */
	mi: { ...btw, combine: 'mi' },
	/** Instance weights only. */
	'btw-kl': { ...btw, combine: 'kl', mi: 'none' },
	/** Instance weights times modality weights. */
	btw,
} as const satisfies Record<string, WeightingConfig>;

export type WeightingPresetName = keyof typeof presets;

export const WEIGHTING_PRESET_NAMES = Object.keys(presets) as WeightingPresetName[];

export function weightingPreset(name: WeightingPresetName): WeightingConfig {
	return structuredClone(presets[name]);
}

/** Whether the weights need the unimodal models' divergence. */
export function usesDivergence(config: WeightingConfig): boolean {
	return config.combine === 'kl' || config.combine === 'kl+mi';
}

/** Whether the weights need the mutual information. */
export function usesInformation(config: WeightingConfig): boolean {
	return config.combine === 'mi' || config.combine === 'kl+mi';
}
