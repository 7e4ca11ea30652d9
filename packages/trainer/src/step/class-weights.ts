import type { GraphBuilder, Value } from '@steelyard/onnx';

/** The weight of the class of each target, in the shape of the target: of numbers of classes (int64), or of 0 and 1. */
export function classWeightOf(g: GraphBuilder, weights: readonly number[], target: Value): Value {
	if (target.dtype === 'int64')
		return g.op(
			'Gather',
			[g.constant('float32', [weights.length], weights), target],
			{ axis: 0 },
			{ dtype: 'float32', shape: target.shape },
		);
	const [no, yes] = weights as readonly [number, number];
	return g.add(g.scale(yes - no, target), g.scalar(no));
}

/**
 * Weights of rows `[batch, 1]` times those of their classes, so that they sum up to 1: the mean of a batch that CrossEntropyLoss of PyTorch takes under `weight`. The
 * target is one-hot `[batch, classes]`, or 0 and 1, `[batch, 1]`.
 */
export function weighedByClass(g: GraphBuilder, weights: readonly number[], target: Value, weight: Value): Value {
	// one of the terms is not 0: the sum is exact, which a product of matrices is not in a lower precision
	const ofClass =
		target.shape[1] === 1
			? classWeightOf(g, weights, target)
			: g.reduceSum(g.mul(target, g.constant('float32', [1, weights.length], weights)), [1]);
	const weighed = g.mul(weight, ofClass);
	return g.div(weighed, g.sumAll(weighed));
}
