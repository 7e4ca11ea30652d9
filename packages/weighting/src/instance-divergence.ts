import { outputWidth, type Reals, rowsOf, type WeightingTask } from './task.js';
import { expectLength, WeightingError } from './weighting-error.js';

/** No standard deviation is taken smaller than this. */
export const SIGMA_FLOOR = 1e-5;

/** The paper's first form of the regression divergence: one standard deviation for every model. */
export const FIXED_SIGMA = 0.1;

export type DivergenceInput = {
	readonly task: WeightingTask;
	/** Classes of `multiclass`, labels of `multilabel`; not read otherwise. */
	readonly classes: number;
	/** Logits (values, for regression) of the frozen unimodal model, `[N, width]` (`outputWidth`). */
	readonly unimodal: Reals;
	/** The same of the fused model. */
	readonly fused: Reals;
	/** Standard deviations of the two Gaussians, in units of the target, one for all rows or `[N]`; regression needs them. Floor 1e-5. */
	readonly sigma?: { readonly unimodal: number | Reals; readonly fused: number | Reals };
	/** Rows to leave out: where 0 the divergence is 0 and the outputs are not looked at. */
	readonly present?: Uint8Array | null;
};

/**
 * D[i] = KL(unimodal ‖ fused) of every instance, in nats: `[N]`, at least 0.
 *
 * With a the unimodal and b the fused output of a row:
 * - multiclass: Σ_c exp(la_c)(la_c − lb_c), la = log-softmax(a), lb = log-softmax(b)
 * - binary: σ(a)(sp(−b) − sp(−a)) + σ(−a)(sp(b) − sp(a)), sp = softplus; multilabel: the mean of that over the labels
 * - regression: ln(σf/σm) + (σm² + (a − b)²)/(2σf²) − ½
 *
 * Rounding can bring a sum below zero, so max(0, ·) ends each of them.
 *
 * @throws WeightingError `shape` where lengths differ, `not_finite` with the row, `configuration` where regression has no sigma
 */
export function instanceDivergence(input: DivergenceInput): Float64Array {
	const { task, unimodal, fused, present } = input;
	const width = outputWidth(task, input.classes);
	const rows = rowsOf('unimodal output', unimodal, width);
	expectLength('fused output', unimodal.length, fused.length);
	if (present) expectLength('present', rows, present.length);
	const divergenceAt =
		task === 'regression' ? gaussian(input) : task === 'multiclass' ? categorical(input, width) : bernoullis(input, width);

	const divergence = new Float64Array(rows);
	for (let i = 0; i < rows; i++) {
		if (present && present[i] === 0) continue;
		const d = divergenceAt(i * width);
		if (!Number.isFinite(d))
			throw new WeightingError('not_finite', `divergence of row ${i}: expected finite outputs, found one that is not`);
		divergence[i] = Math.max(0, d);
	}
	return divergence;
}

type RowDivergence = (offset: number) => number;

/** With a and b less their maxima, e = exp(a) and S the sums of exponentials: Σ e·(a − b) / Sa + ln(Sb / Sa), exactly 0 where they are equal. */
function categorical({ unimodal, fused }: DivergenceInput, width: number): RowDivergence {
	return (offset) => {
		const maxA = largest(unimodal, offset, width);
		const maxB = largest(fused, offset, width);
		let totalA = 0;
		let totalB = 0;
		let sum = 0;
		for (let c = offset; c < offset + width; c++) {
			const a = unimodal[c]! - maxA;
			const b = fused[c]! - maxB;
			const e = Math.exp(a);
			totalA += e;
			totalB += Math.exp(b);
			sum += e * (a - b);
		}
		return sum / totalA + Math.log(totalB / totalA);
	};
}

function bernoullis({ unimodal, fused }: DivergenceInput, width: number): RowDivergence {
	return (offset) => {
		let sum = 0;
		for (let c = offset; c < offset + width; c++) {
			const a = unimodal[c]!;
			const b = fused[c]!;
			sum += sigmoid(a) * (softplus(-b) - softplus(-a)) + sigmoid(-a) * (softplus(b) - softplus(a));
		}
		return sum / width;
	};
}

function gaussian({ unimodal, fused, sigma }: DivergenceInput): RowDivergence {
	if (!sigma)
		throw new WeightingError('configuration', 'sigma: expected the standard deviations of both models for regression, found none');
	const sigmaOfUnimodal = sigmaAt('sigma of the unimodal model', sigma.unimodal, unimodal.length);
	const sigmaOfFused = sigmaAt('sigma of the fused model', sigma.fused, fused.length);
	return (i) => {
		const m = sigmaOfUnimodal(i);
		const f = sigmaOfFused(i);
		const gap = unimodal[i]! - fused[i]!;
		return Math.log(f / m) + (m * m + gap * gap) / (2 * f * f) - 0.5;
	};
}

function sigmaAt(what: string, sigma: number | Reals, rows: number): (row: number) => number {
	if (typeof sigma === 'number') return () => Math.max(SIGMA_FLOOR, sigma);
	expectLength(what, rows, sigma.length);
	return (i) => Math.max(SIGMA_FLOOR, sigma[i]!);
}

export function logSumExp(values: Reals, offset: number, width: number): number {
	const max = largest(values, offset, width);
	let sum = 0;
	for (let c = offset; c < offset + width; c++) sum += Math.exp(values[c]! - max);
	return max + Math.log(sum);
}

export function largest(values: Reals, offset: number, width: number): number {
	let max = values[offset]!;
	for (let c = offset + 1; c < offset + width; c++) max = Math.max(max, values[c]!);
	return max;
}

/** 1/(1 + exp(−z)); exp(−z) overflows to infinity at worst, and the quotient is then 0 as it should be. */
export function sigmoid(z: number): number {
	return 1 / (1 + Math.exp(-z));
}

/** ln(1 + exp(z)) without overflow: max(z, 0) + log1p(exp(−|z|)). */
function softplus(z: number): number {
	return Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
}
