import { type ForwardContext, inference } from '@steelyard/family';
import type { GraphBuilder, Shape, Value } from '@steelyard/onnx';
import { sizeOf } from '@steelyard/runtime';
import { POOL_WIDTH, poolRows } from './dropout-pool.js';

/** Uniform random numbers of a shape, other ones at each call. */
export type UniformSource = (shape: readonly number[]) => Value;

const fixed = (shape: Shape): number[] =>
	shape.map((size) => {
		if (typeof size === 'string') throw new RangeError(`random numbers want a fixed shape, found [${shape}]`);
		return size;
	});

/** Numbers cut from the pool `[rows, POOL_WIDTH]`: call i takes the rows that `rows[i]` names. */
export function fromPool(g: GraphBuilder, pool: Value, rows: readonly Value[]): UniformSource {
	let site = 0;
	return (shape) => {
		const taken = rows[site++] as Value;
		const count = sizeOf(shape);
		const drawn = g.op('Gather', [pool, taken], { axis: 0 }, { shape: [poolRows(count), POOL_WIDTH] });
		const flat = g.reshape(drawn, [poolRows(count) * POOL_WIDTH]);
		const cut = count === poolRows(count) * POOL_WIDTH ? flat : g.op('Slice', [flat, g.ints([0]), g.ints([count])], {}, { shape: [count] });
		return g.reshape(cut, shape);
	};
}

/** The context of a forward pass: in training where there is a source of random numbers, else not. */
export function forwardContext(g: GraphBuilder, parameter: ForwardContext['parameter'], uniform: UniformSource | null): ForwardContext {
	if (uniform === null) return inference(g, parameter);
	return {
		g,
		parameter,
		dropout(x, rate) {
			if (rate === 0) return x;
			const kept = g.op('GreaterOrEqual', [uniform(fixed(x.shape)), g.scalar(rate)], {}, { dtype: 'bool', shape: x.shape });
			return g.mul(x, g.scale(1 / (1 - rate), g.cast(kept, 'float32')));
		},
		/** Box and Muller: √(−2 ln(1 − u))·cos 2πv; u is below 1. */
		noise(shape) {
			const radius = g.op('Sqrt', [g.scale(-2, g.op('Log', [g.sub(g.scalar(1), uniform(shape))]))]);
			return g.mul(radius, g.op('Cos', [g.scale(2 * Math.PI, uniform(shape))]));
		},
	};
}
