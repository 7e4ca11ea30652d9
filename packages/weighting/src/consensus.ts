import { type Ballot, ballotOf, type Calibration, gridValues, LOG_PROBABILITY_FLOOR, normaliseLogs } from './ballot.js';
import { logSumExp } from './instance-divergence.js';
import { expectPresence, outputWidth, type Presence, type Reals, rowsOf, type WeightingTask } from './task.js';
import { expectLength, WeightingError } from './weighting-error.js';

/**
 * Consensus: a Bayesian vote of the modalities on which of them can be trusted, for each instance.
 *
 * With M modalities, answers c (the classes; 0 and 1 for binary; the values of a grid for regression), prior π, temperature T_m and γ from `fitConsensus`:
 *
 * 1. ln p_m(c)   multiclass log-softmax(logits / T_m); binary that of the logits (0, z / T_m); regression that of −(c − value)² / 2σ_m² over the grid;
 *                at least ln 1e-12
 * 2. R_m(c)    = γ (ln p_m(c) − ln π(c)); 0 where the modality is absent
 * 3. Each subset V of the present modalities may be the trustworthy ones, a priori with (1 − ε)^|V| ε^(M − |V|). Its evidence is
 *    ev(V) = Σ_c π(c) exp(Σ_{m∈V} R_m(c)), and it predicts p_V(c) = π(c) exp(Σ_{m∈V} R_m(c)) / ev(V). So post(V) ∝ ev(V) (1 − ε)^|V| ε^(M − |V|),
 *    the late prediction is q = Σ_V post(V) p_V, and the weight of a modality is Σ_{V∋m} post(V).
 *
 * The sums over the 2^M subsets are products over the modalities, exactly and for every M, since post(V) p_V(c) ∝ π(c) Π_{m∈V} (1 − ε) e^{R_m(c)} Π_{m∉V} ε:
 *
 * - f_m(c) = ε + (1 − ε) exp(R_m(c)), which is 1 for an absent modality
 * - ln q(c) = ln π(c) + Σ_m ln f_m(c) − (its log-sum-exp over c)
 * - w_m = Σ_c q(c) (1 − ε) exp(R_m(c)) / f_m(c), in [0, 1]; 0 for an absent modality
 *
 * Both floors bound R_m to ±27.7, so that nothing overflows. Multilabel asks this of every label as binary, with its own prior and temperatures, and w is
 * the mean over the labels.
 */
export type ConsensusStatistics = Calibration & {
	/** π: `[classes]` of multiclass, the probability of a 1 for binary `[1]` and multilabel `[labels]`, `[grid.count]` of regression (sums to 1). */
	readonly prior: readonly number[];
	readonly gamma: number;
	/** ε, the probability a priori that a modality cannot be trusted for an instance; above 0 and below 1. */
	readonly epsilon: number;
	/** Regression: the late prediction is `offset` + `slope` times the mean of q, which the prior draws towards its own mean. */
	readonly line?: { readonly offset: number; readonly slope: number };
};

export type ConsensusInput = {
	readonly task: WeightingTask;
	/** Classes of `multiclass`, labels of `multilabel`; not read otherwise. */
	readonly classes: number;
	readonly statistics: ConsensusStatistics;
	/** Logits (values, for regression) of the M unimodal models, `[N, width]` each (`outputWidth`); those of an absent modality are not looked at. */
	readonly outputs: readonly Reals[];
	readonly present?: Presence;
};

export type Consensus = {
	/** `[N, M]`, row-major, in [0, 1]; not renormalised. */
	readonly weights: Float32Array;
	/** The late prediction in the form of a model's output: ln q `[N, C]`, ln(q(1)/q(0)) `[N]` or `[N, labels]`, for regression `line` of the mean of q `[N]`. */
	readonly late: Float32Array;
};

/**
 * Weights and late prediction of every instance. O(N·M·C); a row without any modality has weights 0 and the prior as late prediction.
 *
 * @throws WeightingError `shape` where lengths differ, `not_finite` with modality and row, `configuration` where the statistics do not fit the task
 */
export function consensus(input: ConsensusInput): Consensus {
	const { task, classes, statistics, outputs, present } = input;
	expectEpsilon(statistics.epsilon);
	const modalities = outputs.length;
	const width = outputWidth(task, classes);
	const rows = expectOutputs(outputs, width, present);
	expectStatistics(task, width, modalities, statistics);
	const ballot = ballotOf(task, classes, statistics);
	const vote = voteOf(input, ballot);
	const lateOf = lateForm(task, statistics);

	const weights = new Float32Array(rows * modalities);
	const late = new Float32Array(rows * width);
	const total = new Float64Array(modalities);
	for (let i = 0; i < rows; i++) {
		total.fill(0);
		for (let question = 0; question < ballot.questions; question++) lateOf(vote(i, question, total), late, i * width + question);
		for (let m = 0; m < modalities; m++) weights[i * modalities + m] = total[m]! / ballot.questions;
	}
	return { weights, late };
}

/** Takes the vote on one question of a row: adds the weight of each modality to `total`, `[M]`, and returns ln q, `[answers]`, until the next call. */
type Vote = (row: number, question: number, total: Float64Array) => Float64Array;

function voteOf({ task, statistics, outputs, present }: ConsensusInput, ballot: Ballot): Vote {
	const { gamma, epsilon } = statistics;
	const { answers } = ballot;
	const modalities = outputs.length;
	const priors = logPriors(statistics.prior, ballot, task);
	const log = new Float64Array(answers);
	const logQ = new Float64Array(answers);
	const trust = new Float64Array(modalities * answers);
	return (row, question, total) => {
		const prior = priors[question]!;
		logQ.set(prior);
		trust.fill(0);
		for (let m = 0; m < modalities; m++) {
			if (present?.[m]?.[row] === 0) continue;
			ballot.logProbabilities(outputs[m]!, row, question, m, log);
			for (let c = 0; c < answers; c++) {
				const trusted = (1 - epsilon) * Math.exp(gamma * (log[c]! - prior[c]!));
				const f = epsilon + trusted;
				logQ[c]! += Math.log(f);
				trust[m * answers + c] = trusted / f;
			}
		}
		normaliseLogs(logQ, -Infinity);
		for (let c = 0; c < answers; c++) {
			const q = Math.exp(logQ[c]!);
			for (let m = 0; m < modalities; m++) total[m]! += q * trust[m * answers + c]!;
		}
		return logQ;
	};
}

/** The least share of the late prediction, where nothing speaks against any modality. */
export const LATE_SHARE = 0.3;

/** How much less a fused model has to say for each modality that the instance lacks. */
export const MISSING_FACTOR = 0.5;

/**
 * φ, the share of the fused prediction for every instance, `[N]`: (1 − `LATE_SHARE`) Π_m t_m, where t_m = min(1, w_m / (1 − ε)) says how much less modality
 * m is trusted than before its prediction was seen, and `MISSING_FACTOR` stands for a modality that is absent. A fused prediction is only as good as all
 * of what it was made of; the late one leaves out what is not trusted.
 *
 * @param weights of `consensus`, `[N, M]`
 */
export function fusedShare(weights: Float32Array, modalities: number, epsilon: number, present?: Presence): Float32Array {
	const rows = weights.length / modalities;
	expectPresence(present, modalities, rows);
	const share = new Float32Array(rows).fill(1 - LATE_SHARE);
	for (let i = 0; i < rows; i++) {
		for (let m = 0; m < modalities; m++) {
			share[i]! *= present?.[m]?.[i] === 0 ? MISSING_FACTOR : Math.min(1, weights[i * modalities + m]! / (1 - epsilon));
		}
	}
	return share;
}

/**
 * The final output, in the form of a model's output: φ·fused + (1 − φ)·late, for multiclass with log-softmax(fused).
 *
 * @param fused output of the fusion model, `[N, width]`
 * @param late `late` of `consensus`, of the same shape
 * @param share φ, `[N]`, or one number for all instances
 */
export function joinConsensus(task: WeightingTask, classes: number, fused: Reals, late: Reals, share: Float32Array | number): Float32Array {
	const width = outputWidth(task, classes);
	rowsOf('fused output', fused, width);
	expectLength('late prediction', fused.length, late.length);
	const joined = new Float32Array(fused.length);
	for (let i = 0; i < fused.length; i += width) {
		const logSum = task === 'multiclass' ? logSumExp(fused, i, width) : 0;
		const phi = typeof share === 'number' ? share : share[i / width]!;
		for (let c = i; c < i + width; c++) joined[c] = phi * (fused[c]! - logSum) + (1 - phi) * late[c]!;
	}
	return joined;
}

/** ln π of each question, `[answers]` each, at least the floor. */
export function logPriors(prior: readonly number[], { questions, answers }: Ballot, task: WeightingTask): Float64Array[] {
	const floored = (p: number): number => Math.max(LOG_PROBABILITY_FLOOR, Math.log(p));
	return Array.from({ length: questions }, (_, question) => {
		if (task === 'multiclass' || task === 'regression') return Float64Array.from({ length: answers }, (_, c) => floored(prior[c]!));
		return Float64Array.of(floored(1 - prior[question]!), floored(prior[question]!));
	});
}

/** Checks lengths, and that what is present is finite; returns N. */
export function expectOutputs(outputs: readonly Reals[], width: number, present: Presence | undefined): number {
	const rows = outputs.length === 0 ? 0 : rowsOf('output of modality 0', outputs[0]!, width);
	expectPresence(present, outputs.length, rows);
	outputs.forEach((output, m) => {
		expectLength(`output of modality ${m}`, rows * width, output.length);
		const mask = present?.[m];
		for (let at = 0; at < output.length; at++) {
			if (Number.isFinite(output[at]!)) continue;
			const row = Math.floor(at / width);
			if (mask && mask[row] === 0) continue;
			throw new WeightingError('not_finite', `output of modality ${m}, row ${row}: expected a finite number, found ${output[at]}`);
		}
	});
	return rows;
}

export function expectEpsilon(epsilon: number): void {
	if (!(epsilon > 0 && epsilon < 1))
		throw new WeightingError('configuration', `epsilon: expected a number above 0 and below 1, found ${epsilon}`);
}

function expectStatistics(task: WeightingTask, width: number, modalities: number, statistics: ConsensusStatistics): void {
	const { prior, temperature, grid, sigma } = statistics;
	const expectCount = (what: string, expected: number, found: number): void => {
		if (found !== expected)
			throw new WeightingError('configuration', `${what} of the consensus: expected ${expected} values, found ${found}`);
	};
	expectCount('prior', task === 'regression' ? (grid?.count ?? 0) : width, prior.length);
	expectCount('temperature', task === 'multilabel' ? modalities * width : modalities, temperature.length);
	if (task === 'regression') expectCount('sigma', modalities, sigma?.length ?? 0);
}

type LateForm = (logQ: Float64Array, into: Float32Array, at: number) => void;

function lateForm(task: WeightingTask, { grid, line = { offset: 0, slope: 1 } }: ConsensusStatistics): LateForm {
	if (task === 'multiclass') return (logQ, into, at) => into.set(logQ, at);
	if (task !== 'regression') {
		return (logQ, into, at) => {
			into[at] = logQ[1]! - logQ[0]!;
		};
	}
	const values = gridValues(grid!);
	return (logQ, into, at) => {
		let mean = 0;
		for (let g = 0; g < values.length; g++) mean += Math.exp(logQ[g]!) * values[g]!;
		into[at] = line.offset + line.slope * mean;
	};
}
