import { ballotOf, type Calibration, type Grid, gridValues, normaliseLogs } from './ballot.js';
import { type ConsensusStatistics, consensus, expectEpsilon, expectOutputs, logPriors } from './consensus.js';
import { largest, logSumExp, SIGMA_FLOOR, sigmoid } from './instance-divergence.js';
import { residualSigma } from './residual-sigma.js';
import { outputWidth, type Presence, type Reals, type WeightingTask } from './task.js';
import { bestTemperature, type Slope } from './temperature.js';
import { expectLength, WeightingError } from './weighting-error.js';

/** Values between which a regression's vote decides. */
const GRID_COUNT = 201;

/** How much of a modality's evidence counts: modalities that err together must not be taken for independent witnesses. */
const GAMMAS = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];

export type ConsensusFitInput = {
	readonly task: WeightingTask;
	/** Classes of `multiclass`, labels of `multilabel`; not read otherwise. */
	readonly classes: number;
	/** Logits (values, for regression) of M unimodal models, `[N, width]` each, every row by a model that was not trained on it. */
	readonly outOfFold: readonly Reals[];
	/** Class index, 0 or 1 (binary) or value, `[N]`; 0 or 1, `[N, labels]`, for multilabel. */
	readonly labels: ArrayLike<number>;
	readonly present?: Presence;
	/** ε; 0.1 unless given. */
	readonly epsilon?: number;
};

/**
 * What `consensus` takes from the training split; plain data.
 *
 * - prior: (n_c + 1) / (N + C), so that no class is impossible; regression: the Gaussian of the labels' mean and standard deviation on the grid
 * - temperature: `bestTemperature` of the out-of-fold log loss over the rows that have the modality; 1 where none has
 * - grid (regression): 201 values from one standard deviation below the smallest label to one above the largest
 * - sigma (regression): root mean square of the out-of-fold residuals, which is what a temperature would make of it; at least the spacing of the grid, so
 *   that the grid resolves every Gaussian
 * - gamma: of 0.3, 0.4 … 1 the one with the least mean log loss of softmax(ln π + Σ_m R_m) over rows (and labels), the smallest of equals; for
 *   regression the loss is −ln of the probability of the grid's value nearest to the label
 * - line (regression): the least squares of the labels on the mean of q, out of fold
 *
 * @throws WeightingError `shape` where lengths differ, `not_finite` with modality and row, `configuration` for labels or an epsilon that are not possible
 */
export function fitConsensus(input: ConsensusFitInput): ConsensusStatistics {
	const { task, classes, outOfFold, labels, present, epsilon = 0.1 } = input;
	expectEpsilon(epsilon);
	const width = outputWidth(task, classes);
	const rows = expectOutputs(outOfFold, width, present);
	expectLabels(task, width, rows, labels);
	const calibration = task === 'regression' ? gaussianCalibration(input) : classCalibration(input, rows, width);
	const prior = task === 'regression' ? gaussianPrior(labels, calibration.grid!) : classPrior(task, width, labels);
	const statistics = { prior, ...calibration, gamma: bestGamma(input, rows, width, calibration, prior), epsilon };
	if (task !== 'regression') return statistics;
	const { late } = consensus({ task, classes, statistics, outputs: outOfFold, ...(present ? { present } : {}) });
	return { ...statistics, line: leastSquares(late, labels) };
}

function expectLabels(task: WeightingTask, width: number, rows: number, labels: ArrayLike<number>): void {
	const perRow = task === 'multilabel' ? width : 1;
	expectLength('labels', rows * perRow, labels.length);
	const classes = task === 'multiclass' ? width : 2;
	for (let at = 0; at < labels.length; at++) {
		const label = labels[at]!;
		if (task === 'regression' ? Number.isFinite(label) : Number.isInteger(label) && label >= 0 && label < classes) continue;
		const expected = task === 'regression' ? 'a finite number' : `0 to ${classes - 1}`;
		throw new WeightingError('configuration', `label of row ${Math.floor(at / perRow)}: expected ${expected}, found ${label}`);
	}
}

function classPrior(task: WeightingTask, width: number, labels: ArrayLike<number>): number[] {
	const count = new Array<number>(width).fill(1);
	const rows = task === 'multilabel' ? labels.length / width : labels.length;
	for (let at = 0; at < labels.length; at++) {
		if (task === 'multiclass') count[labels[at]!]!++;
		else if (labels[at] === 1) count[at % width]!++;
	}
	return count.map((n) => n / (rows + (task === 'multiclass' ? width : 2)));
}

function classCalibration(input: ConsensusFitInput, rows: number, width: number): Calibration {
	const { task, outOfFold, labels, present } = input;
	const temperature = outOfFold.flatMap((output, m) => {
		const kept = presentRows(rows, present?.[m]);
		if (task === 'multiclass') return [bestTemperature((beta) => categoricalSlope(output, width, labels, kept, beta))];
		return Array.from({ length: width }, (_, label) => bestTemperature((beta) => bernoulliSlope(output, width, label, labels, kept, beta)));
	});
	return { temperature };
}

function presentRows(rows: number, mask: Uint8Array | null | undefined): Int32Array {
	const all = Int32Array.from({ length: rows }, (_, i) => i);
	return mask ? all.filter((i) => mask[i] !== 0) : all;
}

/** Σ ln Σ_c exp(β z_c) − β z_y over the rows: its slope is that of the mean of z under softmax(β z) over z_y, its curvature the variance of z. */
function categoricalSlope(output: Reals, width: number, labels: ArrayLike<number>, kept: Int32Array, beta: number): Slope {
	let slope = 0;
	let curvature = 0;
	for (const i of kept) {
		const offset = i * width;
		const max = largest(output, offset, width);
		let total = 0;
		let sum = 0;
		let squares = 0;
		for (let c = offset; c < offset + width; c++) {
			const z = output[c]! - max;
			const e = Math.exp(beta * z);
			total += e;
			sum += e * z;
			squares += e * z * z;
		}
		const mean = sum / total;
		slope += mean - (output[offset + labels[i]!]! - max);
		curvature += squares / total - mean * mean;
	}
	return { first: slope, second: curvature };
}

/** Σ softplus(−β z) over the rows, with z the logit of the right answer. */
function bernoulliSlope(output: Reals, width: number, label: number, labels: ArrayLike<number>, kept: Int32Array, beta: number): Slope {
	let slope = 0;
	let curvature = 0;
	for (const i of kept) {
		const at = i * width + label;
		const z = (labels[at] === 1 ? 1 : -1) * output[at]!;
		const wrong = sigmoid(-beta * z);
		slope -= z * wrong;
		curvature += z * z * wrong * (1 - wrong);
	}
	return { first: slope, second: curvature };
}

function gaussianCalibration({ outOfFold, labels, present }: ConsensusFitInput): Calibration {
	const target = Float64Array.from(labels);
	const { spread } = momentsOf(target);
	let lowest = Infinity;
	let highest = -Infinity;
	for (const y of target) {
		lowest = Math.min(lowest, y);
		highest = Math.max(highest, y);
	}
	const grid =
		target.length === 0 ? { from: -1, to: 1, count: GRID_COUNT } : { from: lowest - spread, to: highest + spread, count: GRID_COUNT };
	const spacing = (grid.to - grid.from) / (GRID_COUNT - 1);
	const sigma = outOfFold.map((output, m) => Math.max(spacing, residualSigma(output, target, present?.[m] ?? null)));
	return { temperature: outOfFold.map(() => 1), grid, sigma };
}

/** The line with the least squared error of y on x; slope 1 where x is constant. */
function leastSquares(x: Reals, y: ArrayLike<number>): { offset: number; slope: number } {
	let meanX = 0;
	let meanY = 0;
	for (let i = 0; i < x.length; i++) {
		meanX += x[i]! / x.length;
		meanY += y[i]! / x.length;
	}
	let covariance = 0;
	let variance = 0;
	for (let i = 0; i < x.length; i++) {
		covariance += (x[i]! - meanX) * (y[i]! - meanY);
		variance += (x[i]! - meanX) ** 2;
	}
	const slope = variance > 1e-12 * x.length * Math.max(1, meanX * meanX) ? covariance / variance : 1;
	return { offset: meanY - slope * meanX, slope };
}

/** Mean and standard deviation (ddof 0). Labels that differ by less than float32 resolves are constant: a thousandth of their size stands in. */
function momentsOf(values: Float64Array): { mean: number; spread: number } {
	let mean = 0;
	let size = 0;
	for (const y of values) {
		mean += y / values.length;
		size = Math.max(size, Math.abs(y));
	}
	let variance = 0;
	for (const y of values) variance += (y - mean) ** 2 / values.length;
	const deviation = Math.sqrt(variance);
	return { mean, spread: deviation > 1e-6 * size ? deviation : Math.max(SIGMA_FLOOR, 1e-3 * size) };
}

function gaussianPrior(labels: ArrayLike<number>, grid: Grid): number[] {
	const { mean, spread } = momentsOf(Float64Array.from(labels));
	const log = gridValues(grid).map((value) => -0.5 * ((value - mean) / spread) ** 2);
	normaliseLogs(log, -Infinity);
	return Array.from(log, Math.exp);
}

function bestGamma(input: ConsensusFitInput, rows: number, width: number, calibration: Calibration, prior: number[]): number {
	const { task, classes, outOfFold, labels, present } = input;
	const ballot = ballotOf(task, classes, calibration);
	const { questions, answers } = ballot;
	const priors = logPriors(prior, ballot, task);
	const truth = truthOf(task, width, labels, calibration.grid);
	const loss = new Float64Array(GAMMAS.length);
	const log = new Float64Array(answers);
	const evidence = new Float64Array(answers);
	const joint = new Float64Array(answers);
	for (let i = 0; i < rows; i++) {
		for (let question = 0; question < questions; question++) {
			const logPrior = priors[question]!;
			evidence.fill(0);
			for (let m = 0; m < outOfFold.length; m++) {
				if (present?.[m]?.[i] === 0) continue;
				ballot.logProbabilities(outOfFold[m]!, i, question, m, log);
				for (let c = 0; c < answers; c++) evidence[c]! += log[c]! - logPrior[c]!;
			}
			const right = truth(i, question);
			for (let g = 0; g < GAMMAS.length; g++) {
				for (let c = 0; c < answers; c++) joint[c] = logPrior[c]! + GAMMAS[g]! * evidence[c]!;
				loss[g]! += logSumExp(joint, 0, answers) - joint[right]!;
			}
		}
	}
	return GAMMAS[loss.indexOf(Math.min(...loss))]!;
}

/** Which answer is the right one. */
function truthOf(
	task: WeightingTask,
	width: number,
	labels: ArrayLike<number>,
	grid: Grid | undefined,
): (row: number, question: number) => number {
	if (!grid) return task === 'multiclass' ? (row) => labels[row]! : (row, question) => labels[row * width + question]!;
	const spacing = (grid.to - grid.from) / (grid.count - 1);
	return (row) => Math.round((labels[row]! - grid.from) / spacing);
}
