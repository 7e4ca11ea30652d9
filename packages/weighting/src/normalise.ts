import { expectPresence, type Presence } from './task.js';
import { expectLength, WeightingError } from './weighting-error.js';

/**
 * Divergences closer than this are equal: smaller gaps are rounding of the logarithms behind them, and dividing by one would turn noise into weights.
 */
export const DIVERGENCE_RESOLUTION = 1e-6;

/** The range of the divergence of every modality, `[M]` each, in nats. */
export type MinMax = {
	readonly min: Float64Array;
	readonly max: Float64Array;
};

/**
 * The range of each modality's divergence over the training split; masked rows do not count, and a modality without rows has the range [0, 0].
 *
 * @param D divergence of M modalities, `[N]` each
 */
export function fitMinMax(D: readonly Float64Array[], present?: Presence): MinMax {
	expectPresence(present, D.length, D[0]?.length ?? 0);
	const min = new Float64Array(D.length);
	const max = new Float64Array(D.length);
	D.forEach((column, m) => {
		expectLength(`divergence of modality ${m}`, D[0]!.length, column.length);
		const mask = present?.[m];
		let lo = Infinity;
		let hi = -Infinity;
		for (let i = 0; i < column.length; i++) {
			if (mask && mask[i] === 0) continue;
			const d = column[i]!;
			if (!Number.isFinite(d))
				throw new WeightingError('not_finite', `divergence of modality ${m}, row ${i}: expected a finite number, found ${d}`);
			lo = Math.min(lo, d);
			hi = Math.max(hi, d);
		}
		if (lo <= hi) {
			min[m] = lo;
			max[m] = hi;
		}
	});
	return { min, max };
}

/**
 * What min–max comes down to for one modality: D̃ = clip((D − min)·scale, 0, 1), with scale = 1/(max − min).
 * Where max = min (within `DIVERGENCE_RESOLUTION`) the divergence holds no information: `scale` is 0, so that D̃ = 0.
 */
export function minMaxScale(min: number, max: number): number {
	return max - min > DIVERGENCE_RESOLUTION ? 1 / (max - min) : 0;
}

/** D̃ in [0, 1] of one modality, `[N]`, by the range of the training split: rows of other splits are clipped to it. */
export function normaliseMinMax(D: Float64Array, min: number, max: number): Float64Array {
	const scale = minMaxScale(min, max);
	return D.map((d) => Math.min(1, Math.max(0, (d - min) * scale)));
}

/**
 * D̃ of M modalities, `[N]` each: D̃[i,m] = D[i,m] / max(Σ_m D[i,m], 1e-6), over the modalities that row i has. Such a row sums to 1, or to 0 where
 * its divergences are all 0; a masked modality gets 0.
 */
export function normaliseRow(D: readonly Float64Array[], present?: Presence): Float64Array[] {
	const rows = D[0]?.length ?? 0;
	expectPresence(present, D.length, rows);
	const total = new Float64Array(rows);
	D.forEach((column, m) => {
		expectLength(`divergence of modality ${m}`, rows, column.length);
		const mask = present?.[m];
		for (let i = 0; i < rows; i++) if (!mask || mask[i] !== 0) total[i]! += column[i]!;
	});
	return D.map((column, m) => {
		const mask = present?.[m];
		return column.map((d, i) => (mask && mask[i] === 0 ? 0 : d / Math.max(total[i]!, DIVERGENCE_RESOLUTION)));
	});
}
