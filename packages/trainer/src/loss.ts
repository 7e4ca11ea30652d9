import type { GraphBuilder, Value } from '@steelyard/onnx';

export type LossName = 'cross_entropy' | 'binary_cross_entropy' | 'mse' | 'mae';

/**
 * Σ_i weight_i · loss_i, a scalar, for logits and target `[batch, outputs]` and weight `[batch, 1]`.
 * Target: one-hot for cross_entropy, 0 or 1 for binary_cross_entropy, a value for mse and mae.
 */
export function lossOf(g: GraphBuilder, name: LossName, logits: Value, target: Value, weight: Value): Value {
	switch (name) {
		case 'cross_entropy':
			return g.neg(g.sumAll(g.mul(g.op('LogSoftmax', [logits], { axis: 1 }), g.mul(target, weight))));
		case 'binary_cross_entropy': // log(1 + exp z) − y·z
			return g.sumAll(g.mul(g.sub(g.op('Softplus', [logits]), g.mul(target, logits)), weight));
		case 'mse': {
			const error = g.sub(logits, target);
			return g.sumAll(g.mul(g.mul(error, error), weight));
		}
		case 'mae':
			return g.sumAll(g.mul(g.op('Abs', [g.sub(logits, target)]), weight));
	}
}
