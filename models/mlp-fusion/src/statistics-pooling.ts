import type { Dim, GraphBuilder, Value } from '@steelyard/onnx';

/** How many statistics each feature gives. */
export const STATISTICS = 4;

/** Larger than every value of a feature. */
const BEYOND = 1e30;

/** x `[batch, steps, features]` with `value` in the place of the steps that are missing; `there` is `[batch, steps, 1]` of 0 and 1. */
const elsewhere = (g: GraphBuilder, x: Value, there: Value, value: number): Value =>
	g.add(g.mul(x, there), g.scale(value, g.sub(g.scalar(1), there)));

/**
 * Mean, last, largest and least value of each feature over the steps that are there, `[batch, steps, features]` → `[batch, 4·features]`, each statistic of all
 * features side by side; zeros for a row without any step. `mask` is `[batch, steps]` of 0 and 1.
 */
export function statisticsPooling(g: GraphBuilder, x: Value, mask: Value | null): Value {
	const [batch, steps, features] = x.shape as [Dim, number, number];
	if (mask === null) {
		const last = g.op('Gather', [x, g.constant('int64', [], [steps - 1])], { axis: 1 }, { shape: [batch, features] });
		return g.concat(
			[g.reduce('ReduceMean', x, [1], false), last, g.reduce('ReduceMax', x, [1], false), g.reduce('ReduceMin', x, [1], false)],
			1,
		);
	}
	const there = g.reshape(mask, [batch, steps, 1]);
	const any = g.reduce('ReduceMax', mask, [1]);
	const count = g.op('Max', [g.reduceSum(mask, [1]), g.scalar(1)]);
	const later = g.op('CumSum', [mask, g.constant('int64', [], [1])], { exclusive: 1, reverse: 1 });
	const isLast = g.reshape(g.mul(mask, g.op('Relu', [g.sub(g.scalar(1), later)])), [batch, steps, 1]);
	const mean = g.div(g.reduceSum(g.mul(x, there), [1], false), count);
	const last = g.reduceSum(g.mul(x, isLast), [1], false);
	const most = g.reduce('ReduceMax', elsewhere(g, x, there, -BEYOND), [1], false);
	const least = g.reduce('ReduceMin', elsewhere(g, x, there, BEYOND), [1], false);
	return g.concat([mean, last, g.mul(most, any), g.mul(least, any)], 1);
}
