import type { JobSpec, TaskProfile } from '@steelyard/contracts';
import { type WeightingConfig, weightingPreset } from '@steelyard/weighting';
import { btwWeigher } from './btw-weigher.js';
import { consensusWeigher } from './consensus-weigher.js';
import { energyWeigher } from './energy-weigher.js';
import { evenWeigher } from './even-weigher.js';
import type { Weigher } from './weigher.js';

/** The weighting of a job: its preset with what the spec overrides. */
export function weightingConfig({ weighting }: Pick<JobSpec, 'weighting'>): WeightingConfig {
	const { preset, refresh_epochs, refresh_steps, mutual_information, information_scale, cross_fit, smoothing, ...overrides } = weighting;
	const base = weightingPreset(preset);
	return {
		...base,
		...overrides,
		mi: base.mi === 'none' ? 'none' : (mutual_information ?? base.mi),
		informationScale: information_scale ?? base.informationScale,
		refreshEpochs: refresh_epochs,
		refreshSteps: refresh_steps ?? base.refreshSteps,
		crossFit: cross_fit ?? base.crossFit,
		smoothing: { ...base.smoothing, ...smoothing },
	};
}

/** The weigher that a configuration asks for. */
export function weigherOf(config: WeightingConfig, task: TaskProfile, seed: number): Weigher<unknown> {
	switch (config.method) {
		case 'even':
			return evenWeigher();
		case 'ogm-ge':
			return evenWeigher({ alpha: config.alpha });
		case 'btw':
			return btwWeigher(config, task, seed) as Weigher<unknown>;
		case 'consensus':
			return consensusWeigher(config, task) as Weigher<unknown>;
		case 'qmf':
			return energyWeigher(config, task) as Weigher<unknown>;
	}
}
