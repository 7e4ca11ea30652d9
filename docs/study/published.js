// What others have published on these datasets, where it was read, and what differs from the study. Figures come from the datasets' manifests.

/** @typedef {{source: string, differs: string, metrics: string[], rows: [string, ...number[]][]}} Published */

/** @type {Record<string, Published[]>} */
export const PUBLISHED = {
	p12_icu: [
		{
			source: 'P12 protocol of Raindrop, AUROC and AUPRC, read in two public tables',
			differs:
				'11,988 patients of sets A, B and C in five random 8:1:1 splits: about 9,600 to train on; here 3,200 of set A to train on, set C to judge on',
			metrics: ['auroc', 'auprc'],
			rows: [
				['GRU-D', 0.819, 0.461],
				['mTAND', 0.842, 0.482],
				['Raindrop', 0.828, 0.44],
				['ContiFormer', 0.821, 0.448],
				['Warpformer', 0.865, 0.543],
				['ViTST', 0.851, 0.511],
			],
		},
		{
			source: 'logistic regression on the same files, flattened, C = 0.01 (scikit-learn)',
			differs: 'nothing; not a fusion model',
			metrics: ['auroc', 'auprc'],
			rows: [['logistic regression', 0.854, 0.52]],
		},
	],
	mosi_std: [
		{
			source: 'scoreboard in the README of CMU-MultimodalSDK for CMU-MOSI, MAE and Pearson correlation',
			differs:
				'the same segments, split and labels, but GloVe-840B word sequences, COVAREP and FACET; here bags of words and means, audio functionals, no video',
			metrics: ['mae', 'pearson'],
			rows: [
				['BC-LSTM', 1.079, 0.581],
				['MV-LSTM', 1.019, 0.601],
				['TFN', 0.97, 0.633],
				['MARN', 0.968, 0.625],
				['MFN', 0.965, 0.632],
				['LMF', 0.912, 0.668],
				['MFM', 0.951, 0.662],
				['RAVEN', 0.915, 0.691],
				['MCTN', 0.909, 0.676],
			],
		},
		{
			source: 'ridge regression on the same files (scikit-learn)',
			differs: 'nothing; not a fusion model',
			metrics: ['mae', 'pearson'],
			rows: [
				['ridge, text alone', 1.094, 0.559],
				['ridge, all', 1.172, 0.505],
			],
		},
	],
	rosmap: [
		{
			source: 'table of MOGONET (Nature Communications 2021) as copied in a public repository, accuracy and AUROC',
			differs: 'means of five random splits of the same patients; here the one split that its authors released',
			metrics: ['accuracy', 'auroc'],
			rows: [
				['SVM', 0.77, 0.77],
				['XGBoost', 0.76, 0.837],
				['block sPLSDA', 0.753, 0.838],
				['NN, concatenation', 0.755, 0.827],
				['MOGONET', 0.815, 0.874],
				['TMC_MOGONET', 0.828, 0.907],
			],
		},
		{
			source: 'logistic regression on the same files, C = 0.1 (scikit-learn)',
			differs: 'nothing; not a fusion model',
			metrics: ['accuracy', 'auroc'],
			rows: [['logistic regression', 0.802, 0.891]],
		},
	],
	handwritten: [
		{
			source: 'papers of ECML and RCML (AAAI 2024), accuracy on the clean test rows',
			differs: 'the same views; their splits are random',
			metrics: ['accuracy'],
			rows: [['ECML, RCML', 0.994]],
		},
		{
			source: 'logistic regression on all views of the same files (scikit-learn)',
			differs: 'nothing; on the conflict split it reaches 0.980, RCML reports 0.944 and TMDL-OA 0.9305 on conflicts of their own draw',
			metrics: ['accuracy'],
			rows: [['logistic regression', 0.99]],
		},
	],
};
