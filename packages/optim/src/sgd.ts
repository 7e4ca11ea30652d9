import { axpy, type Optimizer, type OptimizerOptions } from './optimizer.js';

/** Stochastic gradient descent, p ← p − lr·(g + wd·p), with heavy-ball momentum b ← μ·b + g as in PyTorch (no dampening, no Nesterov). */
export function sgd({ name, weightDecay, momentum }: OptimizerOptions): Optimizer {
	const heavy = name === 'momentum';
	return {
		slots: heavy ? ['buffer'] : [],
		scalars: ['rate', ...(weightDecay > 0 ? ['decay'] : []), ...(heavy ? ['momentum'] : [])],
		maxChunk: Number.POSITIVE_INFINITY,
		scalarsAt: ({ learningRate }) => ({ lossScale: 1, rate: -learningRate, decay: weightDecay, momentum }),
		update(g, { parameter, gradient, slots, scalars }) {
			const { rate, decay, momentum: factor } = scalars as Record<string, NonNullable<(typeof scalars)[string]>>;
			const decayed = weightDecay > 0 ? axpy(g, decay as typeof parameter, parameter, gradient) : gradient;
			const direction = heavy ? axpy(g, factor as typeof parameter, slots['buffer'] as typeof parameter, decayed) : decayed;
			return { parameter: axpy(g, rate as typeof parameter, direction, parameter), slots: heavy ? { buffer: direction } : {} };
		},
		afterChunk: () => (heavy ? { buffer: 1 } : {}),
		inPlace: {
			scalars: ['rate'],
			scalarsAt: ({ learningRate }) => ({ lossScale: 1, rate: -learningRate }),
			update(kernels, { parameter, gradient, size, slots }, scale, { rate }) {
				const common = [parameter, gradient, size, scale, weightDecay, rate as number] as const;
				if (heavy) kernels.momentum(...common, slots['buffer'] as number, momentum);
				else kernels.sgd(...common);
			},
		},
	};
}
