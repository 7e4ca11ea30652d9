// The four datasets: what is corrupted, what is measured, and the one model and training that all methods share.

/**
 * @typedef {object} StudyDataset
 * @property {string} title
 * @property {string} corrupted the informative modality that is corrupted
 * @property {string} unseen one more that is shuffled, not looked at while choosing
 * @property {boolean} [curve] whether the whole curve from 0 to 100 % is measured here
 * @property {string[]} [own] splits of its own to judge beside test
 * @property {readonly string[]} metrics the primary one first
 * @property {Record<string, unknown>} model
 * @property {Record<string, unknown>} training
 */

const adamw = (/** @type {number} */ learning_rate, /** @type {number} */ weight_decay) => ({ name: 'adamw', learning_rate, weight_decay });

/** @type {Record<string, StudyDataset>} */
export const DATASETS = {
	p12_icu: {
		title: 'PhysioNet 2012: death in hospital from 48 h of intensive care',
		corrupted: 'vitals',
		unseen: 'static',
		curve: true,
		metrics: ['auroc', 'auprc'],
		model: { family: 'mlp-fusion', hidden: 64, head_layers: 1, pooling: 'statistics', dropout: 0.5, input_dropout: 0.3 },
		training: {
			epochs: 30,
			batch_size: 128,
			optimizer: adamw(1e-3, 0.05),
			early_stopping: { metric: 'loss', patience: 6 },
		},
	},
	mosi_std: {
		title: 'CMU-MOSI, standard split: sentiment from text, audio and timing',
		corrupted: 'text',
		unseen: 'timing',
		metrics: ['mae', 'pearson'],
		model: { family: 'mlp-fusion', hidden: 64, head_layers: 1, fusion: 'gated', dropout: 0.5, input_dropout: 0.3 },
		training: {
			epochs: 60,
			batch_size: 32,
			optimizer: adamw(1e-3, 0.05),
			loss: 'mae',
			// The features come scaled; scaling rare words up to unit variance costs 0.05 of MAE on validation.
			standardize: false,
			early_stopping: { metric: 'mae', patience: 10 },
		},
	},
	rosmap: {
		title: "ROSMAP: Alzheimer's disease from three omics",
		corrupted: 'mrna',
		unseen: 'mirna',
		metrics: ['accuracy', 'auroc'],
		model: { family: 'mlp-fusion', hidden: 64, head_layers: 1, dropout: 0.5, input_dropout: 0.5 },
		training: {
			epochs: 120,
			batch_size: 32,
			optimizer: adamw(5e-4, 0.05),
			early_stopping: { metric: 'loss', patience: 15 },
		},
	},
	handwritten: {
		title: 'UCI handwritten digits in six views',
		corrupted: 'pixel',
		unseen: 'fourier',
		own: ['testconflict'],
		metrics: ['accuracy', 'loss'],
		model: { family: 'mlp-fusion', hidden: 64, encoder_layers: 1, head_layers: 1, dropout: 0.3, input_dropout: 0.2 },
		training: {
			epochs: 40,
			batch_size: 64,
			optimizer: adamw(2e-3, 0.05),
			early_stopping: { metric: 'loss', patience: 8 },
		},
	},
};

const LOWER_IS_BETTER = new Set(['mae', 'rmse', 'loss']);
export const higherIsBetter = (/** @type {string} */ metric) => !LOWER_IS_BETTER.has(metric);
