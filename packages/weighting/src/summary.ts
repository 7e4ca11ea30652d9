import { expectPresence, type Presence } from './task.js';
import { expectLength } from './weighting-error.js';

/** Mean, 10th and 90th percentile of one modality's weights. */
export interface WeightSummary {
	readonly mean: number;
	readonly p10: number;
	readonly p90: number;
}

/**
 * One summary a modality, over the instances that have it; zeros for a modality that none has. Percentiles interpolate linearly between order statistics.
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

/** Of ascending numbers, by linear interpolation between order statistics; NaN of none. */
export function quantile(sorted: Float64Array, q: number): number {
	const at = q * (sorted.length - 1);
	const below = Math.floor(at);
	const above = Math.min(below + 1, sorted.length - 1);
	return sorted[below]! + (at - below) * (sorted[above]! - sorted[below]!);
}
