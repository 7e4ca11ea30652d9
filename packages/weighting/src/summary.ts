import { quantile } from './quantile.js';
import { expectPresence, type Presence } from './task.js';
import { expectLength } from './weighting-error.js';

/** Mean, 10th and 90th percentile of one modality's weights. */
export type WeightSummary = {
	readonly mean: number;
	readonly p10: number;
	readonly p90: number;
};

/**
 * One summary per modality, over the instances that have the modality; zeros for a modality that no instance has. Percentiles interpolate linearly between order statistics.
 *
 * @param W weights `[N, M]`, row-major
 */
export function summariseWeights(
	W: Float32Array,
	shape: { readonly rows: number; readonly modalities: number },
	present?: Presence,
): WeightSummary[] {
	const { rows, modalities } = shape;
	expectLength('weights', rows * modalities, W.length);
	expectPresence(present, modalities, rows);
	return Array.from({ length: modalities }, (_, m) => {
		const mask = present?.[m];
		const kept = new Float64Array(rows);
		let count = 0;
		for (let i = 0; i < rows; i++) if (!mask || mask[i] !== 0) kept[count++] = W[i * modalities + m]!;
		const sorted = kept.subarray(0, count).sort();
		if (count === 0) return { mean: 0, p10: 0, p90: 0 };
		return { mean: sorted.reduce((sum, w) => sum + w, 0) / count, p10: quantile(sorted, 0.1), p90: quantile(sorted, 0.9) };
	});
}

/** Mean, range, 10th and 90th percentile of one modality's divergences, in nats. */
export type DivergenceSummary = {
	readonly mean: number;
	readonly min: number;
	readonly max: number;
	readonly p10: number;
	readonly p90: number;
};

/**
 * The summary of one modality's divergences over the instances that have the modality; null where no instance has. Percentiles interpolate linearly between order statistics.
 *
 * @param D divergence of one modality, `[N]`
 */
export function summariseDivergence(D: Float64Array, present?: Uint8Array | null): DivergenceSummary | null {
	const kept = D.filter((_, i) => present?.[i] !== 0).sort();
	if (kept.length === 0) return null;
	const mean = kept.reduce((sum, d) => sum + d, 0) / kept.length;
	return { mean, min: kept[0]!, max: kept.at(-1)!, p10: quantile(kept, 0.1), p90: quantile(kept, 0.9) };
}
