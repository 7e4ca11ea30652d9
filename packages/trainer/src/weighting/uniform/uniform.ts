import { uniformWeights } from '@steelyard/weighting';
import { NO_SMOOTHING, type Weigher, type WeightingPresetOf } from '../weigher.js';

/** Every modality that an instance has weighs 1, before and after any training. */
export const uniformWeigher: Weigher<null> = {
	models: 0,
	needsOutputs: false,
	refreshes: { when: 'never' },
	guard: false,
	modulation: null,
	smoothing: NO_SMOOTHING,
	refresh: async ({ count, present }) => ({ statistics: null, weights: uniformWeights(count, present) }),
	information: () => null,
	async weigh({ count, present, fused }) {
		const weights = uniformWeights(count, present);
		return { weights, output: await fused(weights) };
	},
	graph: (_, { present, fused }) => ({ weights: present, output: fused(present) }),
};

export const uniform: WeightingPresetOf<object> = {
	method: { fitsLabels: false, weighsGradients: false, weigher: () => uniformWeigher },
	defaults: {},
};
