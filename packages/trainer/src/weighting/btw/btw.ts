import type { TaskProfile } from '@steelyard/contracts';
import { usesDivergence } from '@steelyard/weighting';
import type { Refreshes, Weigher, WeightingMethod, WeightingPresetOf } from '../weigher.js';
import { type BtwConfig, formulaOf } from './btw-config.js';
import { divergencesGraph, instanceWeightsGraph, modalityWeightsGraph } from './btw-graph.js';
import { type BtwStatistics, NO_STATISTICS, refresh, weigh } from './btw-weights.js';

function refreshesOf({ refresh: when, refresh_steps, refresh_epochs }: BtwConfig): Refreshes {
	if (when === 'on-improvement') return { when: 'improvement' };
	return refresh_steps === null ? { when: 'epochs', every: refresh_epochs } : { when: 'steps', every: refresh_steps };
}

/** Weights of single instances from their divergences, of whole modalities from their mutual information, or both. */
function btwWeigher(config: BtwConfig, task: TaskProfile, seed: number): Weigher<BtwStatistics> {
	const formula = formulaOf(config);
	return {
		models: config.cross_fit ? config.folds : 1,
		needsOutputs: usesDivergence(formula),
		refreshes: refreshesOf(config),
		guard: config.guard,
		modulation: null,
		smoothing: config.smoothing,
		refresh: (training) => refresh(config, task, training, seed),
		information: (statistics) => statistics?.mi ?? null,
		weigh: (examples, statistics) => weigh(config, task, examples, statistics),
		graph(g, { unimodal, present, fused }, given) {
			const statistics = given ?? NO_STATISTICS;
			const first = modalityWeightsGraph(g, formula, statistics, present);
			if (!usesDivergence(formula)) return { weights: first, output: fused(first) };
			const D = divergencesGraph(g, task, statistics, { unimodal, fused: fused(first) });
			const weights = instanceWeightsGraph(g, formula, statistics, D, present);
			return { weights, output: fused(weights), divergence: g.mul(D, present) };
		},
	};
}

const method: WeightingMethod<BtwConfig> = { fitsLabels: false, weighsGradients: false, weigher: btwWeigher };

/** Instance weights times modality weights. */
export const btw: WeightingPresetOf<BtwConfig> = {
	method,
	defaults: {
		combine: 'kl+mi',
		direction: 'agreement',
		normalise: 'minmax',
		renormalise: 'mean1',
		mutual_information: 'ksg',
		information_scale: 'none',
		sigma: 'residual',
		smoothing: { initial: 0.5, step: 0.05, adapt: 'off' },
		refresh: 'schedule',
		refresh_epochs: 5,
		refresh_steps: null,
		guard: true,
		cross_fit: false,
		folds: 5,
	},
};

/** Modality weights alone, equal for all instances. */
export const mi: WeightingPresetOf<BtwConfig> = { method, defaults: { ...btw.defaults, combine: 'mi' } };

/** Instance weights alone. */
export const btwKl: WeightingPresetOf<BtwConfig> = { method, defaults: { ...btw.defaults, combine: 'kl' } };

/** As the paper has it: one deviation of 0.1, weights that grow with the divergence and are not renormalised, smoothing led by the validation loss. */
export const paper: WeightingPresetOf<BtwConfig> = {
	method,
	defaults: {
		...btw.defaults,
		direction: 'divergence',
		renormalise: 'none',
		sigma: 'fixed',
		guard: false,
		smoothing: { initial: 0.5, step: 0.05, adapt: 'raise-on-worse' },
	},
};
