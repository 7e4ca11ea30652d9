import { logSumExp, SIGMA_FLOOR } from './instance-divergence.js';
import { expectPresence, outputWidth, type Presence, type Reals, rowsOf, type WeightingTask } from './task.js';
import { expectLength, WeightingError } from './weighting-error.js';

/** No confidence is taken smaller than this, so that a row in which no modality is confident of anything gets uniform weights. */
export const CONFIDENCE_FLOOR = 1e-6;

export type QmfInput = {
	readonly task: WeightingTask;
	/** Classes of `multiclass`, labels of `multilabel`; not read otherwise. */
	readonly classes: number;
	/** Logits of the M unimodal models, `[N, width]` each (`outputWidth`); those of an absent modality are not looked at. Regression reads their length. */
	readonly outputs: readonly Reals[];
	readonly present?: Presence;
	/** Regression needs it: each model's `residualSigma`, `[M]`. Floor 1e-5. */
	readonly sigma?: readonly number[];
};

/**
 * Weights by the confidence of the unimodal models, after QMF (Zhang et al. 2023, "Provable dynamic fusion for low-quality multimodal data"), where the
 * confidence of a modality for an instance is its negative energy ln Σ_c exp(f_c): `[N, M]`, row-major, at least 0, 0 for an absent modality.
 *
 * w_m = P·k_m / Σ k over the P modalities that the row has, which makes their mean 1, with the confidence k, at least 1e-6:
 * - multiclass: k = ln Σ_c exp(f_c − mean f), at least ln C. The mean is taken out because a constant added to all logits changes no prediction, yet the
 *   energy; it also keeps k above 0, which the authors' is not always
 * - binary: the same of the logits (0, z), which are (−z/2, z/2) without their mean: k = |z|/2 + ln(1 + exp(−|z|)), equal for z and −z
 * - multilabel: the mean of that over the labels
 * - regression: a value has no energy; k = 1/σ², the precision of the model's residuals, the same for all instances
 *
 * The tenth that the authors take of the energy drops out of w. Their penalty that ranks confidences by the history of the loss is not part of it.
 *
 * @throws WeightingError `shape` where lengths differ, `not_finite` with modality and row, `configuration` where regression has no sigma
 */
export function qmfWeights(input: QmfInput): Float32Array {
	const { task, outputs, present } = input;
	const modalities = outputs.length;
	const width = outputWidth(task, input.classes);
	const rows = modalities === 0 ? 0 : rowsOf('output of modality 0', outputs[0]!, width);
	outputs.forEach((output, m) => {
		expectLength(`output of modality ${m}`, rows * width, output.length);
	});
	expectPresence(present, modalities, rows);
	const confidence = confidenceOf(input, width);
	const weights = new Float32Array(rows * modalities);
	const k = new Float64Array(modalities);
	for (let i = 0; i < rows; i++) {
		let count = 0;
		let sum = 0;
		for (let m = 0; m < modalities; m++) {
			k[m] = 0;
			if (present?.[m]?.[i] === 0) continue;
			k[m] = Math.max(CONFIDENCE_FLOOR, confidence(m, i));
			if (!Number.isFinite(k[m]!))
				throw new WeightingError('not_finite', `confidence of modality ${m}, row ${i}: expected finite outputs, found one that is not`);
			count++;
			sum += k[m]!;
		}
		for (let m = 0; m < modalities && count > 0; m++) weights[i * modalities + m] = (count * k[m]!) / sum;
	}
	return weights;
}

function confidenceOf({ task, outputs, sigma }: QmfInput, width: number): (modality: number, row: number) => number {
	if (task === 'regression') {
		if (!sigma)
			throw new WeightingError('configuration', 'sigma: expected the standard deviation of each model for regression, found none');
		expectLength('sigma', outputs.length, sigma.length);
		return (m) => Math.max(SIGMA_FLOOR, sigma[m]!) ** -2;
	}
	if (task === 'multiclass') {
		return (m, i) => {
			let mean = 0;
			for (let c = i * width; c < (i + 1) * width; c++) mean += outputs[m]![c]! / width;
			return logSumExp(outputs[m]!, i * width, width) - mean;
		};
	}
	return (m, i) => {
		let sum = 0;
		for (let c = i * width; c < (i + 1) * width; c++) {
			const z = Math.abs(outputs[m]![c]!);
			sum += z / 2 + Math.log1p(Math.exp(-z));
		}
		return sum / width;
	};
}
