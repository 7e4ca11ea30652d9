import { mutualInformationArgmax } from './argmax-information.js';
import { logSumExp, sigmoid } from './instance-divergence.js';
import { mutualInformationKsg } from './kraskov.js';
import { expectPresence, outputWidth, type Presence, type Reals, rowsOf, type WeightingTask } from './task.js';
import { expectLength, WeightingError } from './weighting-error.js';

/** No mutual information is taken smaller than this, so that no modality is switched off by it. */
export const INFORMATION_FLOOR = 1e-5;

export type InformationEstimator = 'ksg' | 'argmax';

export interface InformationInput {
	readonly task: WeightingTask;
	/** Classes of `multiclass`, labels of `multilabel`; not read otherwise. */
	readonly classes: number;
	/** Logits (values, for regression) of the M unimodal models on the training split, `[N, width]` each. */
	readonly unimodal: readonly Reals[];
	/** The same of the fused model. */
	readonly fused: Reals;
	readonly estimator: InformationEstimator;
	/** Of the noise that breaks ties; the same for every modality, so that their order does not matter. */
	readonly seed: number;
	readonly present?: Presence;
}

/**
 * MI[m] = I(unimodal output of m; fused output) over the rows that have the modality, in nats: `[M]`, at least 1e-5.
 *
 * This is the one place that says what stands for an output:
 * - regression: the value (`ksg` only)
 * - multiclass: `ksg` the probability of the top class, `argmax` its index (the first of equals)
 * - binary: as multiclass with the logits (0, z): the top-class probability is σ(|z|), the label z > 0. So one logit and two classes agree.
 * - multilabel: the mean over the labels, each as binary
 *
 * @throws WeightingError `shape`, `not_finite`, or `configuration` where `argmax` is asked of a regression
 */
export function modalityInformation(input: InformationInput): Float64Array {
	const { task, unimodal, fused, estimator, present } = input;
	const width = outputWidth(task, input.classes);
	const rows = rowsOf('fused output', fused, width);
	expectPresence(present, unimodal.length, rows);
	if (task === 'regression' && estimator === 'argmax') {
		throw new WeightingError('configuration', 'mutual information of a regression: expected the estimator ksg, found argmax');
	}
	const information = new Float64Array(unimodal.length);
	unimodal.forEach((output, m) => {
		expectLength(`output of modality ${m}`, fused.length, output.length);
		const kept = keptRows(rows, present?.[m]);
		information[m] = Math.max(INFORMATION_FLOOR, informationOfRows(input, output, width, kept));
	});
	return information;
}

function keptRows(rows: number, mask: Uint8Array | null | undefined): Int32Array {
	const all = Int32Array.from({ length: rows }, (_, i) => i);
	return mask ? all.filter((i) => mask[i] !== 0) : all;
}

function informationOfRows(input: InformationInput, output: Reals, width: number, kept: Int32Array): number {
	const { task, fused, estimator, seed } = input;
	if (task === 'regression') return mutualInformationKsg(pick(output, kept), pick(fused, kept), { seed });
	if (task === 'multiclass') {
		if (estimator === 'ksg') {
			return mutualInformationKsg(topProbabilities(output, width, kept), topProbabilities(fused, width, kept), { seed });
		}
		return mutualInformationArgmax(topClasses(output, width, kept), topClasses(fused, width, kept), width);
	}
	let sum = 0;
	for (let label = 0; label < width; label++) {
		const a = pick(output, kept, width, label);
		const b = pick(fused, kept, width, label);
		sum +=
			estimator === 'ksg'
				? mutualInformationKsg(a.map(certainty), b.map(certainty), { seed })
				: mutualInformationArgmax(Int32Array.from(a, positive), Int32Array.from(b, positive), 2);
	}
	return sum / width;
}

function pick(values: Reals, kept: Int32Array, width = 1, column = 0): Float64Array {
	return Float64Array.from(kept, (i) => values[i * width + column]!);
}

const certainty = (logit: number): number => sigmoid(Math.abs(logit));
const positive = (logit: number): number => (logit > 0 ? 1 : 0);

function topProbabilities(logits: Reals, width: number, kept: Int32Array): Float64Array {
	return Float64Array.from(kept, (i) => {
		let max = logits[i * width]!;
		for (let c = 1; c < width; c++) max = Math.max(max, logits[i * width + c]!);
		return Math.exp(max - logSumExp(logits, i * width, width));
	});
}

function topClasses(logits: Reals, width: number, kept: Int32Array): Int32Array {
	return Int32Array.from(kept, (i) => {
		let top = 0;
		for (let c = 1; c < width; c++) if (logits[i * width + c]! > logits[i * width + top]!) top = c;
		return top;
	});
}
