import { activations } from './activations.js';
import { attentions } from './attention.js';
import type { Expansions } from './composite.js';
import { losses } from './losses.js';
import { normalisations } from './normalisations.js';
import { samplings } from './sampling.js';

/** How operators are written as others, by operator. */
export const expansions: Expansions = { ...activations, ...normalisations, ...attentions, ...losses, ...samplings };

/** Operators that `canonicalise` always writes as others, with a note of which: they can be differentiated as far as those can. */
export const composites: Readonly<Record<string, string>> = {
	AffineGrid: 'expanded into MatMul with a constant grid',
	Attention: 'expanded into MatMul, Softmax and masks (operator sets 23 to 25)',
	CastLike: 'becomes Cast',
	CenterCropPad: 'expanded into Slice and Pad',
	CumProd: 'expanded into Mul, Slice and Concat',
	Gelu: 'expanded into Erf or Tanh, and Mul',
	GroupNormalization: 'expanded into ReduceSum, Sqrt and Div',
	HardSwish: 'expanded into Clip and Mul',
	MeanVarianceNormalization: 'expanded into ReduceSum, Sqrt and Div',
	Mish: 'expanded into Softplus, Tanh and Mul',
	NegativeLogLikelihoodLoss: 'expanded into GatherElements and ReduceSum',
	RMSNormalization: 'expanded into ReduceSum, Sqrt and Div',
	RotaryEmbedding: 'expanded into Mul, Slice and Concat',
	Shrink: 'expanded into Where',
	SoftmaxCrossEntropyLoss: 'expanded into LogSoftmax, GatherElements and ReduceSum',
	Swish: 'expanded into Sigmoid and Mul',
	TensorScatter: 'becomes ScatterElements',
};
