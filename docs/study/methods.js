// What each method changes in the job that all share. 0.2 of modality dropout and two epochs between refreshes were set before the runs.
import { DATASETS } from './datasets.js';

export const SEEDS = [11, 12, 13, 14, 15];

/** @typedef {{model?: object, weighting?: object, training?: object}} Change */

const refresh_epochs = 2;

/** @type {Record<string, Change>} */
export const METHODS = {
	uniform: {},
	mi: { weighting: { preset: 'mi', refresh_epochs } },
	'btw-kl': { weighting: { preset: 'btw-kl', refresh_epochs } },
	btw: { weighting: { preset: 'btw', refresh_epochs } },
	'btw-divergence': { weighting: { preset: 'btw', refresh_epochs, direction: 'divergence' } },
	'btw-crossfit': { weighting: { preset: 'btw', refresh_epochs, cross_fit: true } },
	paper: { weighting: { preset: 'paper', refresh_epochs } },
	consensus: { weighting: { preset: 'consensus' } },
	'consensus-weighted': { weighting: { preset: 'consensus-weighted' } },
	qmf: { weighting: { preset: 'qmf' } },
	'ogm-ge': { weighting: { preset: 'ogm-ge' } },
	'modality-dropout': { training: { modality_dropout: 0.2 } },
	'late-average': { model: { fusion: 'late-average' } },
};

/** The one that needs no job: the modality whose unimodal model is best on validation. */
export const BEST_UNIMODAL = 'best-unimodal';

/**
 * The job of a method on a dataset, but for the dataset's id.
 * @param {string} dataset
 * @param {string} method
 * @param {number} seed also draws the validation rows where a dataset has none, and the corruption
 * @param {{epochs?: number}} [shortened]
 */
export function specOf(dataset, method, seed, shortened = {}) {
	const base = DATASETS[dataset];
	const change = METHODS[method];
	return {
		model: { ...base.model, ...change.model },
		weighting: { preset: 'uniform', ...change.weighting },
		training: { ...base.training, ...change.training, ...shortened, seed },
		device: 'cpu',
	};
}
