import type { GraphBuilder, Value } from '@steelyard/onnx';

/** Numbers above it in size are not finite in float32. */
const LARGEST = 3.4e38;

/** 1 where all numbers of the gradients, `[1, n]` each, are finite, else 0: `[1, 1]`. Their sum is not finite where one of them is not. */
export function areFinite(g: GraphBuilder, gradients: readonly Value[]): Value {
	const sum = gradients.map((gradient) => g.reduceSum(gradient, [0, 1])).reduce((a, b) => g.add(a, b));
	const isFinite = g.op('Less', [g.op('Abs', [sum]), g.constant('float32', [1, 1], [LARGEST])], {}, { dtype: 'bool' });
	return g.cast(isFinite, 'float32');
}

/** The vector of state `[1, 1]` that is 1 from the first step of a run on whose gradients are not finite. */
export const HALTED = 'halted';

/** What makes the steps of a run leave the state as it is, from the first one on whose gradients are not finite: `next` of a vector before and after a step, and `halted` after it. */
export function guard(
	g: GraphBuilder,
	finite: Value,
	haltedBefore: Value,
): { next: (before: Value, after: Value) => Value; halted: Value } {
	const one = g.constant('float32', [1, 1], [1]);
	const moves = g.mul(finite, g.sub(one, haltedBefore));
	const isMoved = g.cast(moves, 'bool');
	return {
		next: (before, after) => g.op('Where', [isMoved, after, before], {}, { dtype: after.dtype, shape: after.shape }),
		halted: g.sub(one, moves),
	};
}
