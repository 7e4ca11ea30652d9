import type { WeightingPreset } from '@steelyard/contracts';
import { PRESETS } from '../src/weighting/presets.js';

/** The weighting of a job by any preset, refreshed every so many epochs where the preset refreshes its weights. */
export const weightingBy = (preset: WeightingPreset, refreshEpochs: number): object => ({
	preset,
	...('refresh_epochs' in PRESETS[preset].defaults ? { refresh_epochs: refreshEpochs } : {}),
});
