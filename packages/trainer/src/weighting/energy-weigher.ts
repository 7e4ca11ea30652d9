import type { TaskProfile } from '@steelyard/contracts';
import type { GraphBuilder, Value } from '@steelyard/onnx';
import { CONFIDENCE_FLOOR, energyWeights, residualSigma, SIGMA_FLOOR, type WeightingConfig } from '@steelyard/weighting';
import { evenWeights, type Weigher } from './weigher.js';

/** Of a regression the residual deviation of each unimodal model; otherwise nothing is taken from the training split. */
type EnergyStatistics = { readonly sigma: number[] | null };

/** Confidence of one modality, `[batch, 1]`; the formulas of `energyWeights` in float32, bound to it by a parity test. */
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
export function energyGraph(
	g: GraphBuilder,
	task: TaskProfile,
	{ sigma }: EnergyStatistics,
	{ unimodal, present }: { readonly unimodal: readonly Value[]; readonly present: Value },
): Value {
	const each = unimodal.map((output, m) => confidence(g, task, output, sigma?.[m] ?? null));
	const joined = each.length === 1 ? (each[0] as Value) : g.concat(each, 1);
	const k = g.mul(g.op('Max', [joined, g.scalar(CONFIDENCE_FLOOR)]), present);
	// a row without any modality: 0/floor
	const sum = g.op('Max', [g.reduceSum(k, [1]), g.scalar(CONFIDENCE_FLOOR)]);
	return g.div(g.mul(k, g.reduceSum(present, [1])), sum);
}

/** Weights by the energy of the unimodal models' outputs, after QMF. */
export function energyWeigher({ crossFit, folds }: WeightingConfig, task: TaskProfile): Weigher<EnergyStatistics> {
	const form = { task: task.type, classes: task.outputs };
	const weightsOf = (unimodal: readonly Float32Array[], present: ReadonlyArray<Uint8Array | null>, { sigma }: EnergyStatistics) =>
		energyWeights({ ...form, outputs: unimodal, present, ...(sigma === null ? {} : { sigma }) });
	return {
		models: crossFit ? folds : 1,
		needsOutputs: true,
		refreshes: { when: 'once' },
		modulation: null,
		smoothing: { initial: 1, step: 0, adapt: 'off' },
		async refresh({ unimodal, present, labels }) {
			const sigma = task.type === 'regression' ? unimodal.map((output, m) => residualSigma(output, labels, present[m] ?? null)) : null;
			return { statistics: { sigma }, weights: weightsOf(unimodal, present, { sigma }) };
		},
		information: () => null,
		async weigh({ count, unimodal, present, fused }, statistics) {
			const weights = statistics === null ? evenWeights(count, present) : weightsOf(unimodal, present, statistics);
			return { weights, output: await fused(weights) };
		},
		graph(g, { unimodal, present, fused }, statistics) {
			const weights = energyGraph(g, task, statistics ?? { sigma: null }, { unimodal, present });
			return { weights, output: fused(weights) };
		},
	};
}
