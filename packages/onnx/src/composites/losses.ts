import type { Value } from '../graph.js';
import { type CompositeContext, compare, type Expansions, real, sizes, times, unsupported, where } from './composite.js';

/**
 * −Σ wᵢ·log pᵢ[targetᵢ] of log probabilities [N, C, …] and class numbers [N, …]; `mean` divides by Σ wᵢ. The weight of an ignored target is 0, and its class
 * number, which may be none, is never looked up.
 */
function negativeLogLikelihood(context: CompositeContext, logProbabilities: Value, target: Value, weight: Value | null): Value {
	const { g, int, text, has, node } = context;
	const reduction = text('reduction', 'mean');
	if (!['none', 'sum', 'mean'].includes(reduction))
		throw unsupported(node, `has the attribute reduction = "${reduction}", expected "none", "sum" or "mean"`);
	const shape = sizes(target);
	const dtype = logProbabilities.dtype;
	const zero = real(g, 0, dtype);
	const ignored = has('ignore_index') ? compare(g, 'Equal', target, g.scalar(int('ignore_index', 0), target.dtype)) : null;
	const known = ignored === null ? target : where(g, ignored, g.scalar(0, target.dtype), target, shape);
	const [first = 1, ...others] = shape;
	const picked = g.op(
		'GatherElements',
		[logProbabilities, g.reshape(known, [first, 1, ...others])],
		{ axis: 1 },
		{ shape: [first, 1, ...others] },
	);
	const losses = g.neg(g.reshape(picked, shape));
	const classWeights = weight && g.op('Gather', [weight, known], { axis: 0 }, { shape });
	const weights = ignored === null ? classWeights : where(g, ignored, zero, classWeights ?? real(g, 1, dtype), shape);
	// An ignored loss may be infinite; a product with 0 would not remove it.
	const counted = ignored === null ? losses : where(g, ignored, zero, losses, shape);
	const weighted = weights === null ? counted : g.mul(counted, weights);
	if (reduction === 'none') return weighted;
	const total = g.sumAll(weighted);
	if (reduction === 'sum') return total;
	return weights === null ? times(g, total, 1 / shape.reduce((product, size) => product * size, 1)) : g.div(total, g.sumAll(weights));
}

export const losses: Expansions = {
	NegativeLogLikelihoodLoss: (context) => [negativeLogLikelihood(context, context.input(0), context.input(1), context.optional(2))],
	SoftmaxCrossEntropyLoss: (context) => {
		const logProbabilities = context.g.op('LogSoftmax', [context.input(0)], { axis: 1 });
		const loss = negativeLogLikelihood(context, logProbabilities, context.input(1), context.optional(2));
		return [loss, context.wants(1) ? logProbabilities : null];
	},
};
