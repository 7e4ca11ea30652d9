import type { Rules } from '../rule.js';

const positive = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

export const normalize: Rules = {
	// dx = y·(dy − Σ y·dy)
	Softmax: ({ y, dy, g, int }) => {
		const axis = positive(int('axis', -1), y.shape.length);
		const weighted = g.mul(y, dy);
		return [g.sub(weighted, g.mul(y, g.reduceSum(weighted, [axis])))];
	},
	// dx = dy − exp(y)·Σ dy
	LogSoftmax: ({ y, dy, g, int }) => {
		const axis = positive(int('axis', -1), y.shape.length);
		return [g.sub(dy, g.mul(g.exp(y), g.reduceSum(dy, [axis])))];
	},
};
