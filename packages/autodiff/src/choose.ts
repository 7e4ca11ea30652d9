import { broadcastShapes, type GraphBuilder, type Value } from '@steelyard/onnx';

/** Compares two values by `op` (Greater, Equal, …); the shape is the one that they broadcast to. */
export const compare = (g: GraphBuilder, op: string, a: Value, b: Value): Value =>
	g.op(op, [a, b], {}, { dtype: 'bool', shape: broadcastShapes(a.shape, b.shape) });

/** `yes` where the condition holds, else `no`. */
export const choose = (g: GraphBuilder, condition: Value, yes: Value, no: Value): Value =>
	g.op(
		'Where',
		[condition, yes, no],
		{},
		{ dtype: yes.dtype, shape: broadcastShapes(condition.shape, broadcastShapes(yes.shape, no.shape)) },
	);

/** 1 where the condition holds, else 0, as numbers of x's type. */
export const oneWhere = (g: GraphBuilder, condition: Value, x: Value): Value =>
	choose(g, condition, g.scalar(1, x.dtype), g.scalar(0, x.dtype));

/** Where x is 0. */
export const isZero = (g: GraphBuilder, x: Value): Value => compare(g, 'Equal', x, g.scalar(0, x.dtype));

/** x with 1 in place of every 0: a divisor for quotients that a zero makes meaningless. */
export const withoutZeros = (g: GraphBuilder, x: Value): Value => choose(g, isZero(g, x), g.scalar(1, x.dtype), x);

/**
 * For each number of x, which are factors of a product, the product of the other factors. `nonzero` is the product of the factors that are not 0, `zeros` the number
 * of those that are, both in the shape of x. It is exact where factors are 0: where one is, only its own result is not 0.
 */
export function productOfOthers(g: GraphBuilder, x: Value, nonzero: Value, zeros: Value): Value {
	const others = g.sub(zeros, oneWhere(g, isZero(g, x), x));
	return choose(g, isZero(g, others), g.div(nonzero, withoutZeros(g, x)), g.scalar(0, x.dtype));
}
