import type { Dim, GraphBuilder, Value } from '@steelyard/onnx';
import type { PositionLogits } from '../model/position-logits.js';
import type { Loss } from './loss.js';

/** The losses that positions can have. */
type PositionLoss = 'cross_entropy' | 'binary_cross_entropy' | 'mse' | 'mae';

/** −log p of each position's class, `[batch, positions]`; `target` is int64. */
function crossEntropy(g: GraphBuilder, { positions, classes, classAxis }: PositionLogits, logits: Value, target: Value): Value {
	const batch = logits.shape[0] as Dim;
	const [axis, laid, index] =
		classAxis === 1 ? [1, [batch, classes, positions], [batch, 1, positions]] : [2, [batch, positions, classes], [batch, positions, 1]];
	const logProbabilities = g.op('LogSoftmax', [g.reshape(logits, laid)], { axis });
	const picked = g.op('GatherElements', [logProbabilities, g.reshape(target, index)], { axis }, { shape: index });
	return g.neg(g.reshape(picked, target.shape));
}

/** The loss of each position, `[batch, positions]`. */
function lossesOf(g: GraphBuilder, name: PositionLoss, form: PositionLogits, logits: Value, target: Value): Value {
	switch (name) {
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
 * `[batch, positions · classes]` as `form` says, and `weight` `[batch, 1]` is that of the row. The target `[batch, positions]` is a class (int64), 0 or 1, or a value;
 * below 0, or NaN of a value, it does not count. Throws RangeError for a loss with choices.
 */
export function positionLossOf(g: GraphBuilder, loss: Loss, form: PositionLogits, logits: Value, target: Value, weight: Value): Value {
	if (typeof loss === 'object') throw new RangeError(`the loss of positions: expected one without choices, found ${loss.name}`);
	const { shape } = target;
	const bool = { dtype: 'bool', shape } as const;
	const counts =
		loss === 'mse' || loss === 'mae'
			? g.op('Not', [g.op('IsNaN', [target], {}, bool)], {}, bool)
			: g.op('GreaterOrEqual', [target, g.scalar(0, target.dtype)], {}, bool);
	/** 0 where a position does not count: its target is no number to calculate with, and its loss may be infinite, so that a product with 0 would not remove it. */
	const counted = (value: Value): Value => g.op('Where', [counts, value, g.scalar(0, value.dtype)], {}, { dtype: value.dtype, shape });
	const losses = counted(lossesOf(g, loss, form, logits, counted(target)));
	const weights = g.mul(g.cast(counts, 'float32'), weight);
	return g.div(g.sumAll(g.mul(losses, weights)), g.op('Max', [g.sumAll(weights), g.scalar(1e-12)]));
}
