import { elementCount, positiveAxis, staticShape, type Value } from '@steelyard/onnx';
import { compare, isZero, oneWhere, productOfOthers, withoutZeros } from '../choose.js';
import type { Rule, RuleContext, Rules } from '../rule.js';

/** The axes that a reduction runs over, counted from 0; all of them where none are given. */
function reducedAxes({ x, inputs, int, constant }: RuleContext): number[] {
	const rank = x.shape.length;
	const given = inputs[1] ? constant(1) : [];
	if (given.length > 0) return given.map((axis) => positiveAxis(axis, rank));
	return int('noop_with_empty_axes', 0) === 1 ? [] : x.shape.map((_, axis) => axis);
}

/** The gradient of a reduction, with its reduced axes kept as 1 and spread over the input's shape. */
function spread(context: RuleContext, dy: Value): Value {
	return context.g.expand(kept(context, dy), staticShape(context.x));
}

/** An output of a reduction, or its gradient, with the reduced axes kept as 1. */
function kept(context: RuleContext, value: Value): Value {
	const { x, g } = context;
	const axes = reducedAxes(context);
	return g.reshape(
		value,
		x.shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim)),
	);
}

/** ReduceMax and ReduceMin: elements that tie share the gradient equally, as in PyTorch's amax. */
const extreme: Rule = (context) => {
	const { x, y, dy, g } = context;
	const hits = oneWhere(g, compare(g, 'Equal', x, kept(context, y)), x);
	const count = g.reduceSum(hits, reducedAxes(context));
	return [g.mul(hits, reducedAxes(context).length === 0 ? dy : g.div(kept(context, dy), count)), null];
};

export const reduce: Rules = {
	ReduceSum: (context) => [spread(context, context.dy), null],
	ReduceMean: (context) => {
		const { x, y, dy, g } = context;
		return [spread(context, g.scale(elementCount(y) / elementCount(x), dy)), null];
	},
	ReduceLogSumExp: (context) => {
		const { x, y, dy, g } = context;
		return [g.mul(kept(context, dy), g.exp(g.sub(x, kept(context, y)))), null];
	},
	ReduceL1: (context) => [context.g.mul(context.g.op('Sign', [context.x]), kept(context, context.dy)), null],
	// the norm of a zero vector has the gradient 0, as in PyTorch
	ReduceL2: (context) => {
		const { x, y, dy, g } = context;
		return [g.mul(x, kept(context, g.div(dy, withoutZeros(g, y)))), null];
	},
	ReduceSumSquare: (context) => [context.g.mul(context.x, kept(context, context.g.scale(2, context.dy))), null],
	ReduceLogSum: (context) => [spread(context, context.g.div(context.dy, context.g.exp(context.y))), null],
	ReduceProd: (context) => {
		const { x, dy, g } = context;
		const axes = reducedAxes(context);
		const nonzero = g.reduce('ReduceProd', withoutZeros(g, x), axes);
		const zeros = g.reduceSum(oneWhere(g, isZero(g, x), x), axes);
		return [axes.length === 0 ? dy : g.mul(productOfOthers(g, x, nonzero, zeros), kept(context, dy)), null];
	},
	ReduceMax: extreme,
	ReduceMin: extreme,
	CumSum: ({ inputs, dy, g, int }) => [
		g.op('CumSum', [dy, inputs[1] as Value], { exclusive: int('exclusive', 0), reverse: 1 - int('reverse', 0) }),
		null,
	],
};
