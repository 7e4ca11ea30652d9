import { staticShape } from '@steelyard/onnx';
import type { Rules } from '../rule.js';

const positive = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

export const shape: Rules = {
	Reshape: ({ a, dy, g }) => [g.reshape(dy, a.shape), null],
	Flatten: ({ a, dy, g }) => [g.reshape(dy, a.shape)],
	Squeeze: ({ a, dy, g }) => [g.reshape(dy, a.shape), null],
	Unsqueeze: ({ a, dy, g }) => [g.reshape(dy, a.shape), null],
	Expand: ({ a, dy, g }) => [g.sumTo(a.shape, dy), null],
	Transpose: ({ a, dy, g, ints }) => {
		const perm = ints('perm') ?? a.shape.map((_, axis) => a.shape.length - 1 - axis);
		return [
			g.transpose(
				dy,
				perm.map((_, axis) => perm.indexOf(axis)),
			),
		];
	},
	Concat: ({ inputs, dy, g, int }) => {
		const axis = positive(int('axis', 0), dy.shape.length);
		const sizes = inputs.map((input) => staticShape(input as typeof dy)[axis] as number);
		return sizes.length === 1 ? [dy] : g.split(dy, sizes, axis);
	},
	Split: ({ a, outputs, dys, g, int }) => {
		const axis = positive(int('axis', 0), a.shape.length);
		const parts = outputs.map((output, i) => dys[i] ?? g.expand(g.scalar(0, a.dtype), staticShape(output)));
		return [g.concat(parts, axis), null];
	},
};
