import type { GraphBuilder, Value } from '@steelyard/onnx';

export type LossName = 'cross_entropy' | 'binary_cross_entropy' | 'mse' | 'mae';

/**
 * Σ_i weight_i · loss_i, a scalar, for logits and target `[batch, outputs]` and weight `[batch, 1]`.
 * Target: one-hot for cross_entropy, 0 or 1 for binary_cross_entropy, a value for mse and mae. Of several outputs binary_cross_entropy is the mean (they are
 * the labels of a multilabel task), so that its scale, and with it the learning rate and the clipping that fit, do not grow with their number.
 */
export function lossOf(g: GraphBuilder, name: LossName, logits: Value, target: Value, weight: Value): Value {
	switch (name) {
		case 'cross_entropy':
			return g.neg(g.sumAll(g.mul(g.op('LogSoftmax', [logits], { axis: 1 }), g.mul(target, weight))));
		case 'binary_cross_entropy': {
			const labels = target.shape[1] as number;
			const share = labels === 1 ? weight : g.scale(1 / labels, weight);
			return g.sumAll(g.mul(g.sub(g.op('Softplus', [logits]), g.mul(target, logits)), share)); // log(1 + exp z) − y·z
		}
		case 'mse': {
			const error = g.sub(logits, target);
			return g.sumAll(g.mul(g.mul(error, error), weight));
		}
		case 'mae':
			return g.sumAll(g.mul(g.op('Abs', [g.sub(logits, target)]), weight));
	}
}

/**
 * exp(−loss_i), `[batch, 1]`: the probability of the label where the loss is a cross entropy (the geometric mean over labels of a multilabel task), else a
 * number in (0, 1] that falls with the error.
 */
export function likelihoodOf(g: GraphBuilder, name: LossName, logits: Value, target: Value): Value {
	const error = (): Value => g.sub(logits, target);
	const perOutput = {
		cross_entropy: () => g.neg(g.mul(g.op('LogSoftmax', [logits], { axis: 1 }), target)),
		binary_cross_entropy: () => g.scale(1 / (target.shape[1] as number), g.sub(g.op('Softplus', [logits]), g.mul(target, logits))),
		mse: () => {
			const e = error();
			return g.mul(e, e);
		},
		mae: () => g.op('Abs', [error()]),
	}[name];
	return g.exp(g.neg(g.reduceSum(perOutput(), [1])));
}
