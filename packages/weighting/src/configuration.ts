/** Every choice of the weighting, as plain data. A preset is one of these; a job may override its fields. Each method reads what concerns it. */
export interface WeightingConfig {
	/** `even`: every modality weighs 1. `btw`: divergence and mutual information. `consensus`: posterior of being trusted. `qmf`: energy of the unimodal models. `ogm-ge`: even weights, and gradients that are modulated while training. */
	readonly method: 'even' | 'btw' | 'consensus' | 'qmf' | 'ogm-ge';
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
	/** Scale of the mutual information: in nats, or summing to 1 over the modalities. */
	readonly informationScale: 'none' | 'sum';
	/**
	 * Standard deviations of the regression divergence: `FIXED_SIGMA` for all models, each model's `residualSigma`, or its `oracleSigma`, which reads the
	 * label of the instance: for ablation on the training split only, no graph can carry it.
	 */
	readonly sigma: 'fixed' | 'residual' | 'oracle';
	readonly smoothing: SmoothingConfig;
	/** When the training weights are made anew: on schedule, or after an epoch with a better validation loss than any before. */
	readonly refresh: 'schedule' | 'on-improvement';
	/** Epochs between two refreshes on schedule, where `refreshSteps` is null. */
	readonly refreshEpochs: number;
	/** Optimizer steps between two refreshes on schedule. */
	readonly refreshSteps: number | null;
	/** Whether training rows are judged by unimodal models that were not trained on them, one model a fold. */
	readonly crossFit: boolean;
	readonly folds: number;
	/** Prior probability that a modality is not to be trusted, for `consensus`. */
	readonly epsilon: number;
	/**
	 * What `consensus` does with its weights. `plain`: the fused model sees every modality as it is, and `fusedShare` says how much its prediction counts
	 * beside the late one. `weighted`: they multiply the embeddings, and the two predictions count alike.
	 */
	readonly embeddings: 'plain' | 'weighted';
	/** How strongly the gradients of a modality that runs ahead are damped, for `ogm-ge`. */
	readonly alpha: number;
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
	method: 'btw',
	combine: 'kl+mi',
	direction: 'agreement',
	normalise: 'minmax',
	renormalise: 'mean1',
	mi: 'ksg',
	informationScale: 'none',
	sigma: 'residual',
	smoothing: { initial: 0.5, step: 0.05, adapt: 'off' },
	refresh: 'schedule',
	refreshEpochs: 5,
	refreshSteps: null,
	crossFit: false,
	folds: 5,
	epsilon: 0.1,
	embeddings: 'plain',
	alpha: 0.5,
};

const presets = {
	/** Every modality weighs 1. */
	uniform: { ...btw, method: 'even', combine: 'none', mi: 'none' },
	/** Modality weights only, equal for all instances. */
	mi: { ...btw, combine: 'mi' },
	/** Instance weights only. */
	'btw-kl': { ...btw, combine: 'kl', mi: 'none' },
	/** Instance weights times modality weights. */
	btw,
	/** As the paper has it: one σ of 0.1, weights that grow with the divergence and are not renormalised, smoothing led by the validation loss. */
	paper: {
		...btw,
		direction: 'divergence',
		renormalise: 'none',
		sigma: 'fixed',
		smoothing: { initial: 0.5, step: 0.05, adapt: 'raise-on-worse' },
	},
	/** A Bayesian vote of cross-fitted unimodal models on which modalities to trust. */
	consensus: { ...btw, method: 'consensus', combine: 'none', mi: 'none', crossFit: true },
	/** The same vote; its weights multiply the embeddings, and fused and late prediction count alike. */
	'consensus-weighted': { ...btw, method: 'consensus', combine: 'none', mi: 'none', crossFit: true, embeddings: 'weighted' },
	/** Weights by the energy of the unimodal models' outputs (Zhang et al. 2023). */
	qmf: { ...btw, method: 'qmf', combine: 'none', mi: 'none' },
	/** Even weights; the gradients of encoders that run ahead are damped (Peng et al. 2022). */
	'ogm-ge': { ...btw, method: 'ogm-ge', combine: 'none', mi: 'none' },
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
