import { axpy, type Optimizer, type OptimizerOptions, type StepPlace } from './optimizer.js';

/** The largest loss scale within a chunk; it keeps the scaled moments far from the limits of float32. */
const LARGEST_SCALE = 1e3;

/**
 * Adam (Kingma & Ba 2015) and AdamW (Loshchilov & Hutter 2019) with PyTorch's bias correction, in as few passes over the parameters as possible.
 *
 * Within a chunk the moments are kept as M = m/((1−β1)·β2^(j/2)) and V = v/((1−β2)·β2^j), with j the step in the chunk. With a scaled gradient, G = c·g and c = β2^(−j/2), then
 *   M ← β1/√β2·M + G,   V ← V + G²,   p ← p − s·M/(√V + e),
 *   s = lr·(1−β1)/(1−β1^t)·√((1−β2^t)/(1−β2)),   e = c·ε·√((1−β2^t)/(1−β2)),
 * so that the decay of V costs no pass. After a chunk of K steps M is multiplied by β2^(K/2) and V by β2^K. Plain moments are m/(1−β1) and v/(1−β2) after every step.
 */
export function adam({ name, weightDecay, beta1, beta2, epsilon, moments = 'scaled' }: OptimizerOptions): Optimizer {
	const plain = moments === 'plain';
	const decoupled = name === 'adamw' && weightDecay > 0;
	const coupled = name === 'adam' && weightDecay > 0;
	/** √((1−β2^t)/(1−β2)), and the rate that goes with it. */
	const corrected = ({ step, learningRate }: Pick<StepPlace, 'step' | 'learningRate'>) => {
		const correction = Math.sqrt((1 - beta2 ** step) / (1 - beta2));
		return { correction, rate: (-learningRate * (1 - beta1) * correction) / (1 - beta1 ** step) };
	};
	return {
		slots: ['m', 'v'],
		scalars: ['rate', 'epsilon', 'memory', ...(plain ? ['squareMemory'] : []), ...(decoupled || coupled ? ['decay'] : [])],
		maxChunk: plain ? Number.POSITIVE_INFINITY : Math.max(1, Math.floor((2 * Math.log(LARGEST_SCALE)) / -Math.log(beta2))),
		scalarsAt({ step, inChunk, learningRate }) {
			const lossScale = plain ? 1 : beta2 ** (-inChunk / 2);
			const { correction, rate } = corrected({ step, learningRate });
			return {
				lossScale,
				rate,
				epsilon: lossScale * epsilon * correction,
				memory: plain ? beta1 : beta1 / Math.sqrt(beta2),
				squareMemory: beta2,
				decay: decoupled ? 1 - learningRate * weightDecay : lossScale * weightDecay,
			};
		},
		update(g, { parameter, gradient, slots, scalars }) {
			const of = (values: Readonly<Record<string, typeof parameter>>, key: string) => values[key] as typeof parameter;
			const G = coupled ? axpy(g, of(scalars, 'decay'), parameter, gradient) : gradient;
			const m = axpy(g, of(scalars, 'memory'), of(slots, 'm'), G);
			const square = g.mul(G, G);
			const v = plain ? axpy(g, of(scalars, 'squareMemory'), of(slots, 'v'), square) : g.add(of(slots, 'v'), square);
			const direction = g.div(m, g.add(g.op('Sqrt', [v]), of(scalars, 'epsilon')));
			const kept = decoupled ? g.mul(parameter, of(scalars, 'decay')) : parameter;
			return { parameter: axpy(g, of(scalars, 'rate'), direction, kept), slots: { m, v } };
		},
		afterChunk: (steps) => (plain ? { m: 1, v: 1 } : { m: beta2 ** (steps / 2), v: beta2 ** steps }),
		inPlace: {
			scalars: ['rate', 'epsilon', 'decay', 'keep'],
			scalarsAt(place) {
				const { correction, rate } = corrected(place);
				return {
					lossScale: 1,
					rate,
					epsilon: epsilon * correction,
					decay: coupled ? weightDecay : 0,
					keep: decoupled ? 1 - place.learningRate * weightDecay : 1,
				};
			},
			update({ adam }, { parameter, gradient, size, slots }, scale, { rate, epsilon, decay, keep }) {
				const { m, v } = slots as { m: number; v: number };
				adam(parameter, gradient, size, scale, decay as number, rate as number, m, v, beta1, beta2, epsilon as number, keep as number);
			},
		},
	};
}
