import type { WeightingSpecOf } from '@steelyard/contracts';
import { uniformWeigher } from '../uniform/uniform.js';
import type { WeightingPresetOf } from '../weigher.js';

type OgmGeConfig = Required<Omit<WeightingSpecOf<'ogm-ge'>, 'preset' | 'refresh_epochs'>>;

/** Every modality weighs 1; the gradients of encoders that run ahead are damped while training (Peng et al. 2022). */
export const ogmGe: WeightingPresetOf<OgmGeConfig> = {
	method: {
		fitsLabels: false,
		weighsGradients: true,
		weigher: ({ alpha }) => ({ ...uniformWeigher, modulation: { alpha } }),
	},
	defaults: { alpha: 0.5 },
};
