import type { Metrics } from './job.js';

/** What the predictions of two unimodal models tell of the label, in parts; plug-in estimate in nats. */
export type PairInformation = {
	/** Instances that have both modalities. */
	rows: number;
	redundant: number;
	unique: Record<string, number>;
	synergistic: number;
	/** The sum of the parts: what both predictions tell together. */
	total: number;
	/** No part is further from its value for these counts. */
	gap: number;
};

/** The artifact `diagnostics.json` of a job with two or more modalities. */
export type Diagnostics = {
	object: 'diagnostics';
	modalities: string[];
	/** Why something below is null. */
	reason: string | null;
	/** Modality → split → metrics of the model of that modality alone, over the rows that have it. */
	unimodal: Record<string, Record<string, Metrics>> | null;
	/** The unimodal model that is best by `metric` on validation. */
	best_unimodal: { modality: string; metric: string } | null;
	/** Split → how much better the fused model is than that one, over the rows that have its modality: positive is better, whatever the metric. */
	fusion_gain: Record<string, { rows: number; gain: Metrics }> | null;
	/**
	 * Partial information decomposition (BROJA) of what the predicted classes of two unimodal models tell of the label, for every pair and every split but train.
	 * Regression: predictions and labels fall into the terciles of the training labels, parted at `cuts`. Multilabel: the mean over labels.
	 */
	partial_information: {
		cuts: number[] | null;
		/** A split in which no instance has both modalities is null. */
		pairs: Array<{ modalities: [string, string]; splits: Record<string, PairInformation | null> }>;
	} | null;
};
