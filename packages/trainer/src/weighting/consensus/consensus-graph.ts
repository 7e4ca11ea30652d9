import type { TaskProfile } from '@steelyard/contracts';
import type { Dim, GraphBuilder, Value } from '@steelyard/onnx';
import { type ConsensusStatistics, gridValues, LATE_SHARE, LOG_PROBABILITY_FLOOR, MISSING_FACTOR } from '@steelyard/weighting';

// The formulas of @steelyard/weighting (`consensus`, `fusedShare`, `joinConsensus`) as a graph in float32; a parity test binds the two.

/** Questions that the modalities vote on, and answers to each: `[batch, questions, answers]` are the shapes below. */
const ballotOf = ({ type, outputs }: TaskProfile, { grid }: ConsensusStatistics): { questions: number; answers: number } => {
	if (type === 'regression') return { questions: 1, answers: grid?.count ?? 0 };
	return type === 'multiclass' ? { questions: 1, answers: outputs } : { questions: outputs, answers: 2 };
};

/** ln π, `[1, questions, answers]`. */
function logPrior(g: GraphBuilder, task: TaskProfile, statistics: ConsensusStatistics): Value {
	const { questions, answers } = ballotOf(task, statistics);
	const both = task.type === 'binary' || task.type === 'multilabel';
	const prior = both ? statistics.prior.flatMap((p) => [1 - p, p]) : statistics.prior;
	return g.constant(
		'float32',
		[1, questions, answers],
		prior.map((p) => Math.max(LOG_PROBABILITY_FLOOR, Math.log(p))),
	);
}

/** ln p_m, `[batch, questions, answers]`, of the output `[batch, outputs]` of modality m. */
function logProbabilities(g: GraphBuilder, task: TaskProfile, statistics: ConsensusStatistics, output: Value, m: number): Value {
	const { temperature, grid, sigma } = statistics;
	const { questions, answers } = ballotOf(task, statistics);
	const batch = output.shape[0] as Dim;
	const floored = (log: Value): Value => g.op('Max', [log, g.scalar(LOG_PROBABILITY_FLOOR)]);
	const scaled = (factors: readonly number[]): Value =>
		g.mul(
			output,
			g.constant(
				'float32',
				[1, factors.length],
				factors.map((t) => 1 / t),
			),
		);
	if (task.type === 'regression') {
		if (grid === undefined || sigma === undefined) throw new RangeError('the consensus of a regression has a grid and sigma');
		const gap = g.scale(1 / (sigma[m] as number), g.sub(g.constant('float32', [1, answers], gridValues(grid)), output));
		return g.reshape(floored(g.op('LogSoftmax', [g.scale(-0.5, g.mul(gap, gap))], { axis: 1 })), [batch, 1, answers]);
	}
	if (task.type === 'multiclass')
		return g.reshape(floored(g.op('LogSoftmax', [scaled([temperature[m] as number])], { axis: 1 })), [batch, 1, answers]);
	const z = g.reshape(scaled(temperature.slice(m * questions, (m + 1) * questions)), [batch, questions, 1]);
	const softplus = (value: Value): Value => g.op('Softplus', [value]);
	return floored(g.neg(g.concat([softplus(z), softplus(g.neg(z))], 2)));
}

/** The late prediction in the form of a model's output, `[batch, outputs]`, of ln q. */
function lateOutput(g: GraphBuilder, task: TaskProfile, { grid, line }: ConsensusStatistics, logQ: Value): Value {
	const [batch, questions, answers] = logQ.shape as [Dim, number, number];
	if (task.type === 'multiclass') return g.reshape(logQ, [batch, answers]);
	if (grid !== undefined) {
		const { offset, slope } = line ?? { offset: 0, slope: 1 };
		const q = g.reshape(g.exp(logQ), [batch, answers]);
		return g.add(g.scale(slope, g.matMul(q, g.constant('float32', [answers, 1], gridValues(grid)))), g.scalar(offset));
	}
	const [no, yes] = g.split(logQ, [1, 1], 2) as [Value, Value];
	return g.reshape(g.sub(yes, no), [batch, questions]);
}

/** Weights `[batch, M]` and late prediction `[batch, outputs]` of outputs `[batch, outputs]` per modality and presence `[batch, M]`. */
export function consensusGraph(
	g: GraphBuilder,
	task: TaskProfile,
	statistics: ConsensusStatistics,
	{ unimodal, present }: { readonly unimodal: readonly Value[]; readonly present: Value },
): { weights: Value; late: Value } {
	const { gamma, epsilon } = statistics;
	const prior = logPrior(g, task, statistics);
	const batch = present.shape[0] as Dim;
	const columns = unimodal.length === 1 ? [present] : g.split(present, Array<number>(unimodal.length).fill(1), 1);
	const votes = unimodal.map((output, m) => {
		const there = g.reshape(columns[m] as Value, [batch, 1, 1]);
		const R = g.scale(gamma, g.mul(g.sub(logProbabilities(g, task, statistics, output, m), prior), there));
		const trusted = g.scale(1 - epsilon, g.exp(R));
		const f = g.add(trusted, g.scalar(epsilon));
		return { logF: g.op('Log', [f]), trust: g.div(trusted, f), there: columns[m] as Value };
	});
	const total = votes.reduce((sum, { logF }) => g.add(sum, logF), prior);
	const logQ = g.op('LogSoftmax', [total], { axis: 2 });
	const q = g.exp(logQ);
	const weights = votes.map(({ trust, there }) => {
		const byQuestion = g.reduceSum(g.mul(q, trust), [2], false);
		return g.mul(g.reduce('ReduceMean', byQuestion, [1]), there);
	});
	return { weights: weights.length === 1 ? (weights[0] as Value) : g.concat(weights, 1), late: lateOutput(g, task, statistics, logQ) };
}

/** φ of every row, `[batch, 1]`: `fusedShare`. */
export function fusedShareGraph(g: GraphBuilder, epsilon: number, weights: Value, present: Value): Value {
	const relative = g.op('Min', [g.scale(1 / (1 - epsilon), weights), g.scalar(1)]);
	const absent = g.scale(MISSING_FACTOR, g.sub(g.scalar(1), present));
	const trust = g.add(relative, absent); // the weight of an absent modality is 0
	return g.scale(1 - LATE_SHARE, g.reduce('ReduceProd', trust, [1]));
}

/** The final output, `[batch, outputs]`: φ·fused + (1 − φ)·late. */
export function joinedGraph(g: GraphBuilder, task: TaskProfile, fused: Value, late: Value, share: Value): Value {
	const own = task.type === 'multiclass' ? g.op('LogSoftmax', [fused], { axis: 1 }) : fused;
	return g.add(g.mul(share, own), g.mul(g.sub(g.scalar(1), share), late));
}
