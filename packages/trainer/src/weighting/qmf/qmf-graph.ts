import type { TaskProfile } from '@steelyard/contracts';
import type { GraphBuilder, Value } from '@steelyard/onnx';
import { CONFIDENCE_FLOOR, SIGMA_FLOOR } from '@steelyard/weighting';

/** The deviation of each unimodal model of a regression, `[M]`; other tasks take nothing from the training rows. */
export type QmfStatistics = { readonly sigma: number[] | null };

/** Confidence of one modality, `[batch, 1]`; the formulas of `qmfWeights` in float32, bound to it by a parity test. */
function confidence(g: GraphBuilder, task: TaskProfile, output: Value, sigma: number | null): Value {
	if (task.type === 'regression') return g.add(g.scale(0, output), g.scalar(Math.max(SIGMA_FLOOR, sigma ?? 0) ** -2));
	if (task.type === 'multiclass') {
		const centred = g.sub(output, g.reduce('ReduceMean', output, [1]));
		return g.reduce('ReduceLogSumExp', centred, [1]);
	}
	const size = g.op('Abs', [output]);
	return g.reduce('ReduceMean', g.add(g.scale(0.5, size), g.op('Softplus', [g.neg(size)])), [1]);
}

/** Weights `[batch, M]` by confidence, of mean 1 over the modalities that are there. */
export function qmfGraph(
	g: GraphBuilder,
	task: TaskProfile,
	{ sigma }: QmfStatistics,
	{ unimodal, present }: { readonly unimodal: readonly Value[]; readonly present: Value },
): Value {
	const each = unimodal.map((output, m) => confidence(g, task, output, sigma?.[m] ?? null));
	const joined = each.length === 1 ? (each[0] as Value) : g.concat(each, 1);
	const k = g.mul(g.op('Max', [joined, g.scalar(CONFIDENCE_FLOOR)]), present);
	// a row without any modality: 0/floor
	const sum = g.op('Max', [g.reduceSum(k, [1]), g.scalar(CONFIDENCE_FLOOR)]);
	return g.div(g.mul(k, g.reduceSum(present, [1])), sum);
}
