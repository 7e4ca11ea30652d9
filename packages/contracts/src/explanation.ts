import type { JobCurves } from './event.js';

/** One instance and how far a modality of it was trusted. */
export type TrustedInstance = {
	/** In the file of the split, from 0. */
	row: number;
	weight: number;
	/** KL(unimodal ‖ fused) in nats; null where the weighting has none. */
	divergence: number | null;
	/** Class index, value, or 0 and 1 of every label. */
	prediction: number | number[];
	/** Of the predicted class; of every label; null for regression. */
	probability: number | number[] | null;
	label: number | number[];
};

/**
 * The artifact `explanation.json` of a job. Beside it, `explanation.parquet` has a row an instance of every split that is judged: `split` (as in
 * `result.metrics`), `row` (in the split's file, from 0), a modality's `weight.<modality>`, `divergence.<modality>` (nats; null where the weighting has none or the
 * modality is missing) and `present.<modality>`; `prediction`, `probability` (of the predicted class) and `label`, where classes are their index. Regression has no
 * `probability`; multilabel has `prediction.<i>`, `probability.<i>` and `label.<i>` of every label i.
 */
export type Explanation = {
	object: 'explanation';
	modalities: string[];
	/** Of `prediction` and `label`; empty for regression. */
	classes: string[];
	/** Mean weights over the training split and mutual information by refresh. */
	refreshes: JobCurves['weights'];
	/** Name of the split → split of the dataset whose rows `row` counts. */
	files: Record<string, string>;
	/** Split of `instances`: test, or validation where there is none. */
	split: string;
	/** Modality → the ten instances with the highest and those with the lowest weight, of those that have it; none where all weights are the same. */
	instances: Record<string, { most_trusted: TrustedInstance[]; least_trusted: TrustedInstance[] }>;
};
