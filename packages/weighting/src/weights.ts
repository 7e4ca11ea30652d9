import { minMaxScale, normaliseMinMax, normaliseRow } from './normalise.js';
import { expectPresence, type Presence } from './task.js';
import { expectLength, WeightingError } from './weighting-error.js';

/**
 * The one path from divergence to weights: refresh, validation, test and the exported graph all follow it. For the row of instance i, with p[m] = 1 where
 * modality m is present and 0 where it is masked, P = Σ p, and v = `informationFactors`: MI[m], MI[m] / Σ MI, or 1 where `combine` leaves MI out:
 *
 * 1. normalise   `minmax`: D̃ = clip((D − min)·scale, 0, 1), scale = `minMaxScale`; `row`: D̃ = p·D / max(Σ p·D, 1e-6)
 * 2. direction   `agreement`: k = exp(−D̃); `divergence`: k = D̃, but 1 for a modality whose scale is 0; where `combine` leaves KL out: k = 1
 * 3. combine     c = p·v·k, and where Σ p·k < 1e-6 (every D̃ of the row is 0, to the resolution of float32): c = p·v
 * 4. renormalise `none`: w = c; `sum1`: w = c / Σ c; `mean1`: w = P·c / Σ c; a row with P = 0 gets w = 0
 *
 * Step 3's exception, max = min and "every D̃ = 0" thus set the factor of the divergence to 1 and leave that of MI alone. In float64; the result is
 * rounded to float32 once, at the end. `combine: 'none'` gives w = p whatever `renormalise` says.
 */

/** The choices of the formula above. */
export type WeightFormula = {
	/** What an instance's weight is made of: its divergence (`kl`), the mutual information of its modality (`mi`), their product, or nothing. */
	readonly combine: 'none' | 'mi' | 'kl' | 'kl+mi';
	/** Whether the weight grows with the normalised divergence, or falls as exp(−D̃). */
	readonly direction: 'divergence' | 'agreement';
	/** `minmax` per modality over the training split, or `row` over the modalities of the instance. */
	readonly normalise: 'minmax' | 'row';
	/** Scale of the weights of one instance: as they come, sum 1, or mean 1 over the modalities that it has. */
	readonly renormalise: 'none' | 'sum1' | 'mean1';
	/** Scale of the mutual information: in nats, or summing to 1 over the modalities. */
	readonly informationScale: 'none' | 'sum';
};

/** What weights of whole modalities read of it. */
export type ModalityFormula = Pick<WeightFormula, 'combine' | 'renormalise' | 'informationScale'>;

/** Whether the weights need the divergence of the unimodal models. */
export const usesDivergence = ({ combine }: Pick<WeightFormula, 'combine'>): boolean => combine === 'kl' || combine === 'kl+mi';

/** Whether the weights need the mutual information. */
export const usesInformation = ({ combine }: Pick<WeightFormula, 'combine'>): boolean => combine === 'mi' || combine === 'kl+mi';

/** Below this the factors of a row are 0, to the resolution that the graph has in float32. */
export const FACTOR_FLOOR = 1e-6;

/** What the weights take from the training split. */
export type WeightStatistics = {
	/** Mutual information of each modality, `[M]`, above 0; needed where `combine` has `mi`. */
	readonly mi?: ArrayLike<number> | null;
	/** Smallest and largest divergence of each modality, `[M]`; needed where `combine` has `kl` and `normalise` is `minmax`. */
	readonly min?: ArrayLike<number> | null;
	readonly max?: ArrayLike<number> | null;
};

/**
 * Weights of the first pass, which knows no divergence yet: step 3 and 4 with k = 1. Also the weights before any refresh.
 *
 * @param mi mutual information, `[M]`; may be null where `combine` leaves it out
 * @returns `[N, M]`, row-major
 */
export function modalityWeights(
	formula: ModalityFormula,
	mi: ArrayLike<number> | null,
	shape: { readonly rows: number; readonly modalities: number },
	present?: Presence,
): Float32Array {
	return combined(formula, mi, null, shape, present);
}

/**
 * Weights of the second pass: all four steps. Where `combine` leaves KL out they are the `modalityWeights`, and D gives the shape alone.
 *
 * @param D divergence of M modalities, `[N]` each
 * @returns `[N, M]`, row-major
 * @throws WeightingError `shape`, or `configuration` where a statistic that the formula needs is missing
 */
export function instanceWeights(
	formula: WeightFormula,
	statistics: WeightStatistics,
	D: readonly Float64Array[],
	present?: Presence,
): Float32Array {
	const shape = { rows: D[0]?.length ?? 0, modalities: D.length };
	D.forEach((column, m) => {
		expectLength(`divergence of modality ${m}`, shape.rows, column.length);
	});
	const factors = usesDivergence(formula) ? divergenceFactors(formula, statistics, D, present) : null;
	return combined(formula, statistics.mi ?? null, factors, shape, present);
}

/** Steps 1 and 2: k of every modality, `[N]` each. */
function divergenceFactors(
	{ direction, normalise }: Pick<WeightFormula, 'direction' | 'normalise'>,
	{ min, max }: WeightStatistics,
	D: readonly Float64Array[],
	present: Presence | undefined,
): Float64Array[] {
	if (normalise === 'row') {
		const normalised = normaliseRow(D, present);
		return direction === 'agreement' ? normalised.map(agreement) : normalised;
	}
	if (!min || !max) throw new WeightingError('configuration', 'min and max of the divergence: expected for minmax weights, found none');
	expectLength('min of the divergence', D.length, min.length);
	expectLength('max of the divergence', D.length, max.length);
	return D.map((column, m) => {
		const normalised = normaliseMinMax(column, min[m]!, max[m]!);
		if (direction === 'agreement') return agreement(normalised);
		return minMaxScale(min[m]!, max[m]!) === 0 ? normalised.fill(1) : normalised;
	});
}

function agreement(normalised: Float64Array): Float64Array {
	return normalised.map((d) => Math.exp(-d));
}

/** Steps 3 and 4; `factors` null stands for k = 1. */
function combined(
	formula: ModalityFormula,
	mi: ArrayLike<number> | null,
	factors: readonly Float64Array[] | null,
	{ rows, modalities }: { readonly rows: number; readonly modalities: number },
	present: Presence | undefined,
): Float32Array {
	expectPresence(present, modalities, rows);
	const v = informationFactors(formula, mi, modalities);
	const renormalise = formula.combine === 'none' ? 'none' : formula.renormalise;
	const weights = new Float32Array(rows * modalities);
	const c = new Float64Array(modalities);
	for (let i = 0; i < rows; i++) {
		let count = 0;
		let sum = 0;
		let factor = 0;
		let information = 0;
		for (let m = 0; m < modalities; m++) {
			const mask = present?.[m];
			const p = mask && mask[i] === 0 ? 0 : 1;
			const pv = p * v[m]!;
			const k = factors ? factors[m]![i]! : 1;
			c[m] = p === 0 ? 0 : pv * k;
			factor += p === 0 ? 0 : k;
			count += p;
			sum += c[m]!;
			information += pv;
		}
		if (count === 0) continue;
		if (factor < FACTOR_FLOOR) {
			for (let m = 0; m < modalities; m++) c[m] = present?.[m]?.[i] === 0 ? 0 : v[m]!;
			sum = information;
		}
		const scale = renormalise === 'none' ? 1 : renormalise === 'sum1' ? 1 / sum : count / sum;
		for (let m = 0; m < modalities; m++) weights[i * modalities + m] = c[m]! * scale;
	}
	return weights;
}

/**
 * v of every modality, `[M]`: its mutual information on the scale of the formula, or 1 where `combine` leaves it out.
 *
 * @throws WeightingError `configuration` where it is needed and missing or not positive, `shape` where there are not M
 */
export function informationFactors(
	formula: Pick<WeightFormula, 'combine' | 'informationScale'>,
	mi: ArrayLike<number> | null,
	modalities: number,
): Float64Array {
	if (!usesInformation(formula)) return new Float64Array(modalities).fill(1);
	if (!mi) throw new WeightingError('configuration', 'mutual information: expected for these weights, found none');
	expectLength('mutual information', modalities, mi.length);
	const nats = Float64Array.from(mi);
	const at = nats.findIndex((value) => !(value > 0 && Number.isFinite(value)));
	if (at >= 0)
		throw new WeightingError('configuration', `mutual information of modality ${at}: expected a positive number, found ${nats[at]}`);
	if (formula.informationScale === 'none') return nats;
	const sum = nats.reduce((total, value) => total + value, 0);
	return nats.map((value) => value / sum);
}
