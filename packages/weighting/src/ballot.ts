import { outputWidth, type Reals, type WeightingTask } from './task.js';
import { WeightingError } from './weighting-error.js';

/** No log probability of a vote is taken smaller than that of 1e-12: one modality that is sure and wrong can still be outvoted. */
export const LOG_PROBABILITY_FLOOR = Math.log(1e-12);

/** Equally spaced values of a regression target: `count` of them, the first `from`, the last `to`. */
export type Grid = {
	readonly from: number;
	readonly to: number;
	readonly count: number;
};

/** What the log probabilities of an output depend on, beside the output. */
export type Calibration = {
	/** `[M]`, `[M, labels]` for multilabel; 1 each for regression. */
	readonly temperature: readonly number[];
	/** Regression: the values between which the vote decides. */
	readonly grid?: Grid;
	/** Regression: standard deviation of each modality's Gaussian, `[M]`, in units of the target. */
	readonly sigma?: readonly number[];
};

/** What the modalities vote on: one question per label for multilabel, one question otherwise; its answers are classes, or values of the grid. */
export type Ballot = {
	readonly questions: number;
	readonly answers: number;
	/** Writes max(ln p(answer), `LOG_PROBABILITY_FLOOR`) of a modality's output for one row into `into`, `[answers]`. */
	readonly logProbabilities: (output: Reals, row: number, question: number, modality: number, into: Float64Array) => void;
};

export function ballotOf(task: WeightingTask, classes: number, { temperature, grid, sigma }: Calibration): Ballot {
	const width = outputWidth(task, classes);
	if (task === 'regression') {
		if (!grid || !sigma) throw new WeightingError('configuration', 'consensus of a regression: expected a grid and sigma, found none');
		return { questions: 1, answers: grid.count, logProbabilities: gaussian(gridValues(grid), sigma) };
	}
	if (task === 'multiclass') return { questions: 1, answers: width, logProbabilities: categorical(width, temperature) };
	return { questions: width, answers: 2, logProbabilities: bernoulli(width, temperature) };
}

export function gridValues({ from, to, count }: Grid): Float64Array {
	return Float64Array.from({ length: count }, (_, g) => from + ((to - from) * g) / (count - 1));
}

/** Replaces the values by their log-softmax, at least `floor` each. */
export function normaliseLogs(values: Float64Array, floor: number): void {
	let max = values[0]!;
	for (let c = 1; c < values.length; c++) max = Math.max(max, values[c]!);
	let sum = 0;
	for (let c = 0; c < values.length; c++) sum += Math.exp(values[c]! - max);
	const logSum = max + Math.log(sum);
	for (let c = 0; c < values.length; c++) values[c] = Math.max(floor, values[c]! - logSum);
}

function categorical(width: number, temperature: readonly number[]): Ballot['logProbabilities'] {
	return (output, row, _question, modality, into) => {
		for (let c = 0; c < width; c++) into[c] = output[row * width + c]! / temperature[modality]!;
		normaliseLogs(into, LOG_PROBABILITY_FLOOR);
	};
}

function bernoulli(width: number, temperature: readonly number[]): Ballot['logProbabilities'] {
	return (output, row, question, modality, into) => {
		const z = output[row * width + question]! / temperature[modality * width + question]!;
		const common = Math.log1p(Math.exp(-Math.abs(z)));
		into[0] = Math.max(LOG_PROBABILITY_FLOOR, Math.min(-z, 0) - common);
		into[1] = Math.max(LOG_PROBABILITY_FLOOR, Math.min(z, 0) - common);
	};
}

function gaussian(values: Float64Array, sigma: readonly number[]): Ballot['logProbabilities'] {
	return (output, row, _question, modality, into) => {
		for (let g = 0; g < values.length; g++) {
			const gap = (values[g]! - output[row]!) / sigma[modality]!;
			into[g] = -0.5 * gap * gap;
		}
		normaliseLogs(into, LOG_PROBABILITY_FLOOR);
	};
}
