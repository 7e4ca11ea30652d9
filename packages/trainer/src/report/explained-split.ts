import type { Predictions } from './predictions.js';

/** What a model predicted for the N examples of a split, and how far it trusted each modality. */
export type ExplainedSplit = {
	readonly name: string;
	/** Split of the dataset that the rows are of. */
	readonly file: string;
	/** Row of each example in that split, `[N]`. */
	readonly rows: Uint32Array;
	/** `[N, M]` */
	readonly weights: Float32Array;
	/** `[N, M]`, nats; null where the weighting has none. */
	readonly divergence: Float32Array | null;
	/** Per modality 1 or 0 for each example, `[N]`; null where all examples have it. */
	readonly present: ReadonlyArray<Uint8Array | null>;
	/** Null where positions have labels, of which there would be too many, and where the model gives none. */
	readonly predictions: Predictions | null;
	/** Raw, `[N]` or `[N, labels]`; empty where there are no predictions. */
	readonly labels: Float64Array;
};

/** Whether example i has a modality of that presence. */
export const isPresent = (present: Uint8Array | null | undefined, i: number): boolean => present?.[i] !== 0;

/** Divergence of modality m for example i in nats; null where the weighting has none or the modality is missing. `M` is the number of modalities. */
export const divergenceOf = ({ divergence, present }: ExplainedSplit, M: number, m: number, i: number): number | null =>
	divergence === null || !isPresent(present[m], i) ? null : (divergence[i * M + m] as number);
