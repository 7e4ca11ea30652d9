import type { Dim, GraphBuilder, Value } from '@steelyard/onnx';
import type { PositionLogits } from '../model/position-logits.js';
import { classWeightOf } from './class-weights.js';
import { binaryFocalLoss, focused, huberLoss, type Loss, smoothedTarget } from './loss.js';

/**
 * −log p of each position's class, `[batch, positions]`, and its mean with `smoothing` as the share of that of all classes; `target` is int64.
 */
function crossEntropy(
	g: GraphBuilder,
	{ positions, classes, classAxis }: PositionLogits,
	logits: Value,
	target: Value,
	smoothing = 0,
): Value {
	const batch = logits.shape[0] as Dim;
	const [axis, laid, index] =
		classAxis === 1 ? [1, [batch, classes, positions], [batch, 1, positions]] : [2, [batch, positions, classes], [batch, positions, 1]];
	const logProbabilities = g.op('LogSoftmax', [g.reshape(logits, laid)], { axis });
	const picked = g.op('GatherElements', [logProbabilities, g.reshape(target, index)], { axis }, { shape: index });
	const entropy = g.neg(g.reshape(picked, target.shape));
	if (smoothing === 0) return entropy;
	const ofAll = g.scale(-1 / classes, g.reshape(g.reduceSum(logProbabilities, [axis]), target.shape));
	return g.add(g.scale(1 - smoothing, entropy), g.scale(smoothing, ofAll));
}

/** The loss of each position, `[batch, positions]`. */
function lossesOf(g: GraphBuilder, loss: Loss, form: PositionLogits, logits: Value, target: Value): Value {
	if (typeof loss === 'object')
		switch (loss.name) {
			case 'cross_entropy':
				return crossEntropy(g, form, logits, target, loss.labelSmoothing);
			case 'binary_cross_entropy':
				return lossesOf(g, loss.name, form, logits, smoothedTarget(g, loss.labelSmoothing, target, 2));
			case 'focal': {
				const entropy = crossEntropy(g, form, logits, target);
				// the sum of the other probabilities would be more exact, and a product with the one-hot target as large as the logits
				return focused(g, loss.gamma, entropy, g.sub(g.scalar(1), g.exp(g.neg(entropy))));
			}
			case 'binary_focal':
				return binaryFocalLoss(g, loss, logits, target);
			case 'huber':
				return huberLoss(g, loss.delta, g.sub(logits, target));
			case 'quantile':
				throw new RangeError('the loss of positions: expected one value for each, found quantiles');
		}
	switch (loss) {
		case 'cross_entropy':
			return crossEntropy(g, form, logits, target);
		case 'binary_cross_entropy':
			return g.sub(g.op('Softplus', [logits]), g.mul(target, logits)); // log(1 + exp z) − y·z
		case 'mse': {
			const error = g.sub(logits, target);
			return g.mul(error, error);
		}
		case 'mae':
			return g.op('Abs', [g.sub(logits, target)]);
	}
}

/**
 * Σ weight·loss / Σ weight over the positions that count, a scalar: as PyTorch's CrossEntropyLoss with an `ignore_index`, and 0 where none counts. Logits are
 * `[batch, positions · classes]` as `form` says, and `weight` `[batch, 1]` is that of the row, times that of the class where `classWeights` has one for each. The target `[batch, positions]` is a class (int64), 0 or 1, or a value;
 * below 0, or NaN of a value, it does not count.
 */
export function positionLossOf(
	g: GraphBuilder,
	loss: Loss,
	form: PositionLogits,
	logits: Value,
	target: Value,
	weight: Value,
	classWeights: readonly number[] | null = null,
): Value {
	const { shape } = target;
	const bool = { dtype: 'bool', shape } as const;
	const ofValues = ['mse', 'mae', 'huber'].includes(typeof loss === 'object' ? loss.name : loss);
	const counts = ofValues
		? g.op('Not', [g.op('IsNaN', [target], {}, bool)], {}, bool)
		: g.op('GreaterOrEqual', [target, g.scalar(0, target.dtype)], {}, bool);
	/** 0 where a position does not count: its target is no number to calculate with, and its loss may be infinite, so that a product with 0 would not remove it. */
	const counted = (value: Value): Value => g.op('Where', [counts, value, g.scalar(0, value.dtype)], {}, { dtype: value.dtype, shape });
	const known = counted(target);
	const losses = counted(lossesOf(g, loss, form, logits, known));
	const ofRows = g.mul(g.cast(counts, 'float32'), weight);
	const weights = classWeights === null ? ofRows : g.mul(ofRows, classWeightOf(g, classWeights, known));
	return g.div(g.sumAll(g.mul(losses, weights)), g.op('Max', [g.sumAll(weights), g.scalar(1e-12)]));
}
