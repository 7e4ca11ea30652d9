export type TrainedLossName = 'cross_entropy' | 'binary_cross_entropy' | 'mse' | 'mae';

/**
 * What a step of training minimises, as the task of a job makes it of the loss that was chosen. Label smoothing spreads a share of every target evenly over the classes, which for binary_cross_entropy are the two of each label. `focal` and
 * `binary_focal` (Lin et al. 2017) are (1 − p)^γ times the cross entropy, p being the probability of what is true; `alpha` is a further factor of labels that
 * apply, 1 − α of the others. `huber` is e²/2 up to |e| = δ, and δ·(|e| − δ/2) from there on. `quantile` is the mean over the
 * quantiles τ of the pinball loss, max(τ·e, (τ − 1)·e) of the error e = label − output (Koenker and Bassett 1978).
 */
export type TrainedLoss =
	| TrainedLossName
	| { readonly name: 'cross_entropy' | 'binary_cross_entropy'; readonly labelSmoothing: number }
	| { readonly name: 'focal'; readonly gamma: number }
	| { readonly name: 'binary_focal'; readonly gamma: number; readonly alpha: number | null }
	| { readonly name: 'huber'; readonly delta: number }
	| { readonly name: 'quantile'; readonly quantiles: readonly number[] };
