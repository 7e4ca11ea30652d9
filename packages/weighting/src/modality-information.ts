import { mutualInformationArgmax } from './argmax-information.js';
import { largest, logSumExp, sigmoid } from './instance-divergence.js';
import { type KsgNoise, ksgNoise, mutualInformationKsg } from './kraskov.js';
import { expectPresence, outputWidth, type Presence, type Reals, rowsOf, type WeightingTask } from './task.js';
import { expectLength, WeightingError } from './weighting-error.js';

/** No mutual information is taken smaller than this, so that no modality is switched off by it. */
export const INFORMATION_FLOOR = 1e-5;

export type InformationEstimator = 'ksg' | 'argmax';

export type InformationInput = {
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
};

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
	const all = keptRows(rows, null);
	const fusedOfAll = variablesOf(input, fused, width, all);
	const noiseOf = noiseByCount(input.seed);
	const information = new Float64Array(unimodal.length);
	unimodal.forEach((output, m) => {
		expectLength(`output of modality ${m}`, fused.length, output.length);
		const mask = present?.[m];
		const kept = mask ? keptRows(rows, mask) : all;
		const ofFused = mask ? variablesOf(input, fused, width, kept) : fusedOfAll;
		let sum = 0;
		variablesOf(input, output, width, kept).forEach((x, variable) => {
			sum += informationBetween(input, width, x, ofFused[variable]!, noiseOf);
		});
		information[m] = Math.max(INFORMATION_FLOOR, sum / ofFused.length);
	});
	return information;
}

function keptRows(rows: number, mask: Uint8Array | null): Int32Array {
	const kept = new Int32Array(rows);
	let count = 0;
	for (let i = 0; i < rows; i++) if (!mask || mask[i] !== 0) kept[count++] = i;
	return kept.subarray(0, count);
}

/** The variables that stand for an output, over the kept rows: one variable, or one per label for multilabel. */
function variablesOf({ task, estimator }: InformationInput, output: Reals, width: number, kept: Int32Array): Float64Array[] {
	if (task === 'regression') return [ofRows(kept, (i) => output[i]!)];
	if (task === 'multiclass')
		return [
			ofRows(kept, estimator === 'ksg' ? (i) => topProbability(output, i * width, width) : (i) => topClass(output, i * width, width)),
		];
	const standsFor = estimator === 'ksg' ? certainty : positive;
	return Array.from({ length: width }, (_, label) => ofRows(kept, (i) => standsFor(output[i * width + label]!)));
}

function ofRows(kept: Int32Array, value: (row: number) => number): Float64Array {
	const values = new Float64Array(kept.length);
	for (let at = 0; at < kept.length; at++) values[at] = value(kept[at]!);
	return values;
}

const certainty = (logit: number): number => sigmoid(Math.abs(logit));
const positive = (logit: number): number => (logit > 0 ? 1 : 0);

function topProbability(logits: Reals, offset: number, width: number): number {
	return Math.exp(largest(logits, offset, width) - logSumExp(logits, offset, width));
}

function topClass(logits: Reals, offset: number, width: number): number {
	let top = 0;
	for (let c = 1; c < width; c++) if (logits[offset + c]! > logits[offset + top]!) top = c;
	return top;
}

type NoiseOf = (count: number) => KsgNoise;

/** The noise that a seed gives to so many rows, made once: most modalities have all of them. */
function noiseByCount(seed: number): NoiseOf {
	const made = new Map<number, KsgNoise>();
	return (count) => {
		const noise = made.get(count) ?? ksgNoise(count, seed);
		made.set(count, noise);
		return noise;
	};
}

function informationBetween(
	{ task, estimator }: InformationInput,
	width: number,
	x: Float64Array,
	y: Float64Array,
	noiseOf: NoiseOf,
): number {
	if (estimator === 'ksg') return mutualInformationKsg(x, y, { noise: noiseOf(x.length) });
	return mutualInformationArgmax(new Int32Array(x), new Int32Array(y), task === 'multiclass' ? width : 2);
}
