import type { Modulation } from '../step/gradient-modulation.js';
import { evenWeights, type Weigher } from './weigher.js';

/** Every modality that is there weighs 1. */
export const evenWeigher = (modulation: Modulation | null = null): Weigher<null> => ({
	models: 0,
	needsOutputs: false,
	refreshes: { when: 'never' },
	modulation,
	smoothing: { initial: 1, step: 0, adapt: 'off' },
	refresh: async ({ count, present }) => ({ statistics: null, weights: evenWeights(count, present) }),
	information: () => null,
	async weigh({ count, present, fused }) {
		const weights = evenWeights(count, present);
		return { weights, output: await fused(weights) };
	},
	graph: (_, { present, fused }) => ({ weights: present, output: fused(present) }),
});
