import { elementCount, staticShape, type Value } from '@steelyard/onnx';
import type { RuleContext, Rules } from '../rule.js';

/** The axes that a reduction runs over, counted from 0; all of them where none are given. */
function reducedAxes({ a, inputs, int, constant }: RuleContext): number[] {
	const rank = a.shape.length;
	const given = inputs[1] ? constant(1) : [];
	if (given.length > 0) return given.map((axis) => (axis < 0 ? axis + rank : axis));
	return int('noop_with_empty_axes', 0) === 1 ? [] : a.shape.map((_, axis) => axis);
}

/** The gradient of a reduction, with its reduced axes kept as 1 and spread over the input's shape. */
function spread(context: RuleContext, dy: Value): Value {
	const { a, g } = context;
	const axes = reducedAxes(context);
	const kept = g.reshape(
		dy,
		a.shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim)),
	);
	return g.expand(kept, staticShape(a));
}

export const reduce: Rules = {
	ReduceSum: (context) => [spread(context, context.dy), null],
	ReduceMean: (context) => {
		const { a, y, dy, g } = context;
		return [spread(context, g.scale(elementCount(y) / elementCount(a), dy)), null];
	},
};
