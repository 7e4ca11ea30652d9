import type { GraphBuilder, Value } from '@steelyard/onnx';
import type { DType } from '@steelyard/runtime';
import type { Case } from '../gradient-check.js';

type Quantised = { axis?: number; zero?: number | number[]; type?: DType };

/** A pair of QuantizeLinear and DequantizeLinear. */
function pair(g: GraphBuilder, x: Value, scale: Value, { axis = 1, zero, type = 'uint8' }: Quantised): Value {
	const zeros = zero === undefined ? null : g.constant(type, scale.shape as number[], [zero].flat());
	const inputs = (first: Value) => (zeros ? [first, scale, zeros] : [first, scale]);
	const q = g.op('QuantizeLinear', inputs(x), { axis }, { dtype: type });
	return g.op('DequantizeLinear', inputs(q), { axis }, { dtype: x.dtype });
}

/** Numbers on, around and beyond the levels 0 … 255 of 0.1·(q − 100), none at the end of the range. */
const values = [-12, -10.2, -9.97, -0.31, 0, 0.52, 14.9, 15.47, 15.6, 30];

/** What it stands for: x within the range, the ends of the range beyond it, times the scale as it moves them. */
const clipped =
	(low: number, high: number): NonNullable<Case['surrogate']> =>
	(g, [x]) =>
		g.op('Clip', [x!, g.scalar(low, x!.dtype), g.scalar(high, x!.dtype)]);

const straightThrough = (data: number[], shape: number[], scale: number[], ends: [number, number], quantised: Quantised): Case => ({
	shapes: [shape],
	dtype: 'float32',
	data: [data],
	build: (g, [x]) => pair(g, x!, g.constant('float32', scale.length === 1 ? [] : [scale.length], scale), quantised),
	surrogate: clipped(...ends),
});

export const quantizeCases: Record<string, Case[]> = {
	Round: [{ shapes: [[2, 3]], build: (g, [x]) => g.op('Round', [g.mul(x!, x!)]), surrogate: (g, [x]) => g.mul(x!, x!) }],
	QuantizeLinear: [
		straightThrough(values, [2, 5], [0.1], [-10.04, 15.54], { zero: 100 }),
		straightThrough(values, [10], [0.1], [-12.84, 12.74], { zero: 0, type: 'int8', axis: 0 }),
		straightThrough(values, [10], [0.05], [-0.02, 12.77], {}),
		straightThrough([-3, -0.1, 0.3, 0.7, 2, 300], [2, 3], [0.01, 0.01, 0.01], [-0.004, 2.554], { axis: -1, zero: [0, 0, 0] }),
		// a scale for each channel, all within the range
		straightThrough([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8], [2, 2, 2], [0.01, 0.02], [-9, 9], { zero: [3, 100] }),
	],
	DequantizeLinear: [
		straightThrough(values, [10], [0.1], [-10.04, 15.54], { zero: 100, axis: 0 }),
		// of integers that were not quantised here: a linear function of its scale
		{
			shapes: [[]],
			dtype: 'float32',
			build: (g, [scale]) => g.op('DequantizeLinear', [g.constant('int8', [3], [-100, 3, 90]), scale!], {}, { dtype: 'float32' }),
		},
		{
			shapes: [[2]],
			dtype: 'float32',
			build: (g, [scale]) => {
				const q = g.constant('uint8', [2, 3], [0, 5, 250, 7, 100, 9]);
				return g.op('DequantizeLinear', [q, scale!, g.constant('uint8', [2], [4, 90])], { axis: 0 }, { dtype: 'float32', shape: [2, 3] });
			},
		},
	],
};
