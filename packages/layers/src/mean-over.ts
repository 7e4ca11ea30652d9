import type { GraphBuilder, Value } from '@steelyard/onnx';

/** The mean of x along `axis`, which stays with size 1, over the entries where `there` is 1; it is 0 for the others and broadcasts to x. Without such entries the mean is 0. */
export const meanOver = (g: GraphBuilder, x: Value, there: Value, axis: number): Value =>
	g.div(g.reduceSum(g.mul(x, there), [axis]), g.op('Max', [g.reduceSum(there, [axis]), g.scalar(1)]));
