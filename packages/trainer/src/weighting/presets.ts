import type { WeightingPreset } from '@steelyard/contracts';
import { btw, btwKl, mi, paper } from './btw/btw.js';
import { consensus, consensusWeighted } from './consensus/consensus.js';
import { ogmGe } from './ogm-ge/ogm-ge.js';
import { qmf } from './qmf/qmf.js';
import { uniform } from './uniform/uniform.js';

/** Every preset that a job can name. */
export const PRESETS = {
	uniform,
	mi,
	'btw-kl': btwKl,
	btw,
	paper,
	consensus,
	'consensus-weighted': consensusWeighted,
	qmf,
	'ogm-ge': ogmGe,
} satisfies Record<WeightingPreset, unknown>;
