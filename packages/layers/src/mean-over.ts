import type { GraphBuilder, Value } from '@steelyard/onnx';

/** The mean of x along `axis`, which stays as 1, over what `there`, of 0 and 1 and in a shape that broadcasts to x, counts in; 0 where it counts nothing in. */
export const meanOver = (g: GraphBuilder, x: Value, there: Value, axis: number): Value =>
	g.div(g.reduceSum(g.mul(x, there), [axis]), g.op('Max', [g.reduceSum(there, [axis]), g.scalar(1)]));
