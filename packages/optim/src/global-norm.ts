import { type GraphBuilder, type Value } from '@steelyard/onnx';

/** The L2 norm of all gradients together, of shape [1, 1]; gradients are `[1, n]` each. */
export function globalNorm(g: GraphBuilder, gradients: readonly Value[]): Value {
	const squares = gradients.map((gradient) => g.reduce('ReduceSumSquare', gradient, [0, 1]));
	return g.op('Sqrt', [squares.reduce((sum, square) => g.add(sum, square))]);
}

/** Scales gradients by min(1, largest / (norm + 1e-6)), as PyTorch's clip_grad_norm_; `norm` and `largest` in the same scale as the gradients. */
export function clipToNorm(g: GraphBuilder, gradients: readonly Value[], norm: Value, largest: Value): Value[] {
	const ratio = g.div(largest, g.add(norm, g.scalar(1e-6)));
	const coefficient = g.op('Min', [ratio, g.constant('float32', [1, 1], [1])]);
	return gradients.map((gradient) => g.mul(gradient, coefficient));
}
