import type { TaskProfile } from '@steelyard/contracts';
import type { GraphBuilder, Value } from '@steelyard/onnx';
import {
	DIVERGENCE_RESOLUTION,
	FACTOR_FLOOR,
	informationFactors,
	type ModalityFormula,
	minMaxScale,
	SIGMA_FLOOR,
	usesDivergence,
	type WeightFormula,
} from '@steelyard/weighting';
import type { BtwStatistics } from './btw-weights.js';

// The formulas of @steelyard/weighting (`instanceDivergence`, `weights.ts`) as a graph in float32; a parity test binds the two.

const row = (g: GraphBuilder, values: readonly number[]): Value => g.constant('float32', [1, values.length], values);

/** KL(unimodal ‖ fused) of logits or raw values `[batch, outputs]`: `[batch, 1]`, at least 0. */
function divergence(
	g: GraphBuilder,
	task: TaskProfile,
	unimodal: Value,
	fused: Value,
	sigma: { unimodal: number; fused: number } | null,
): Value {
	const nonNegative = (d: Value): Value => g.op('Relu', [d]);
	if (task.type === 'multiclass') {
		const la = g.op('LogSoftmax', [unimodal], { axis: 1 });
		const lb = g.op('LogSoftmax', [fused], { axis: 1 });
		return nonNegative(g.reduceSum(g.mul(g.exp(la), g.sub(la, lb)), [1]));
	}
	if (task.type === 'regression') {
		const m = Math.max(SIGMA_FLOOR, sigma?.unimodal ?? 0);
		const f = Math.max(SIGMA_FLOOR, sigma?.fused ?? 0);
		const gap = g.sub(unimodal, fused);
		// ln(σf/σm) + σm²/(2σf²) − ½ is one number
		return nonNegative(g.add(g.scale(1 / (2 * f * f), g.mul(gap, gap)), g.scalar(Math.log(f / m) + (m * m) / (2 * f * f) - 0.5)));
	}
	const softplus = (z: Value): Value => g.op('Softplus', [z]);
	const sigmoid = (z: Value): Value => g.op('Sigmoid', [z]);
	const [a, b] = [unimodal, fused];
	const positive = g.mul(sigmoid(a), g.sub(softplus(g.neg(b)), softplus(g.neg(a))));
	const negative = g.mul(sigmoid(g.neg(a)), g.sub(softplus(b), softplus(a)));
	return nonNegative(g.reduce('ReduceMean', g.add(positive, negative), [1]));
}

/** Steps 3 and 4 of the weights: c = p·v·k (p·v where the row's factors are 0), renormalised; `[batch, M]`. */
function combined(g: GraphBuilder, formula: ModalityFormula, mi: BtwStatistics['mi'], present: Value, factors: Value | null): Value {
	if (formula.combine === 'none') return present;
	const v = informationFactors(formula, mi, present.shape[1] as number);
	const pv = v.every((factor) => factor === 1) ? present : g.mul(present, row(g, [...v]));
	const total = (values: Value): Value => g.reduceSum(values, [1]);
	const pick = (condition: Value, yes: Value, no: Value, shape: Value['shape']): Value =>
		g.op('Where', [condition, yes, no], {}, { dtype: 'float32', shape });
	const below = (value: Value, floor: number): Value => g.op('Less', [value, g.scalar(floor)], {}, { dtype: 'bool' });
	const c = factors === null ? pv : pick(below(total(g.mul(present, factors)), FACTOR_FLOOR), pv, g.mul(pv, factors), pv.shape);
	if (formula.renormalise === 'none') return c;
	const sum = total(c);
	const safe = g.add(sum, g.op('Cast', [below(total(present), 0.5)], { to: 1 }, { dtype: 'float32' })); // a row with nothing present: 0/1
	return g.div(formula.renormalise === 'mean1' ? g.mul(c, total(present)) : c, safe);
}

/** Weights of the first pass, which knows no divergence yet: `[batch, M]`, for presence `[batch, M]` of 0 and 1. */
export const modalityWeightsGraph = (g: GraphBuilder, formula: ModalityFormula, statistics: BtwStatistics, present: Value): Value =>
	combined(g, formula, statistics.mi, present, null);

/** Divergence of every modality, `[batch, M]`, from the models' outputs `[batch, outputs]` (raw values for regression); what it gives where a modality is missing means nothing. */
export const divergencesGraph = (
	g: GraphBuilder,
	task: TaskProfile,
	{ sigma }: BtwStatistics,
	{ unimodal, fused }: { unimodal: readonly Value[]; fused: Value },
): Value =>
	g.concat(
		unimodal.map((output, m) => divergence(g, task, output, fused, sigma && { unimodal: sigma.unimodal[m] as number, fused: sigma.fused })),
		1,
	);

/** Weights of the second pass, `[batch, M]`, from divergences `[batch, M]` and presence `[batch, M]` of 0 and 1. */
export function instanceWeightsGraph(g: GraphBuilder, formula: WeightFormula, statistics: BtwStatistics, D: Value, present: Value): Value {
	if (!usesDivergence(formula)) return modalityWeightsGraph(g, formula, statistics, present);
	const { min, max, mi } = statistics;
	let normalised: Value;
	const scales = [...min].map((low, m) => minMaxScale(low, max[m] as number));
	if (formula.normalise === 'row') {
		const masked = g.mul(D, present);
		normalised = g.div(masked, g.op('Max', [g.reduceSum(masked, [1]), g.scalar(DIVERGENCE_RESOLUTION)]));
	} else {
		const scaled = g.mul(g.sub(D, row(g, [...min])), row(g, scales));
		normalised = g.op('Clip', [scaled, g.scalar(0), g.scalar(1)]);
	}
	if (formula.direction === 'agreement') return combined(g, formula, mi, present, g.exp(g.neg(normalised)));
	// a divergence that is constant over the training rows holds no information on a modality: its factor is 1
	const constant =
		formula.normalise === 'minmax' && scales.includes(0)
			? g.add(
					normalised,
					row(
						g,
						scales.map((scale) => (scale === 0 ? 1 : 0)),
					),
				)
			: normalised;
	return combined(g, formula, mi, present, constant);
}
