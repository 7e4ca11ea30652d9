import { activations } from './activations.js';
import { attentions } from './attention.js';
import { classical } from './classical.js';
import type { Expansions } from './composite.js';
import { losses } from './losses.js';
import { microsoft } from './microsoft.js';
import { microsoftAttentions } from './microsoft-attention.js';
import { normalisations } from './normalisations.js';
import { samplings } from './sampling.js';

/** How operators are written as others, by operator. */
export const expansions: Expansions = {
	...activations,
	...normalisations,
	...attentions,
	...losses,
	...samplings,
	...microsoft,
	...microsoftAttentions,
	...classical,
};

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
	SimplifiedLayerNormalization: 'expanded into ReduceSum, Sqrt and Div',
	Shrink: 'expanded into Where',
	SoftmaxCrossEntropyLoss: 'expanded into LogSoftmax, GatherElements and ReduceSum',
	Swish: 'expanded into Sigmoid and Mul',
	TensorScatter: 'becomes ScatterElements',
	'ai.onnx.ml.ArrayFeatureExtractor': 'becomes Gather',
	'ai.onnx.ml.Binarizer': 'expanded into Greater',
	'ai.onnx.ml.FeatureVectorizer': 'expanded into Concat',
	'ai.onnx.ml.Imputer': 'expanded into Where',
	'ai.onnx.ml.LabelEncoder': 'expanded into Equal and Gather; numbers to numbers',
	'ai.onnx.ml.LinearClassifier': 'expanded into MatMul, Add and Softmax; its coefficients are not trained',
	'ai.onnx.ml.LinearRegressor': 'expanded into MatMul and Add; its coefficients are not trained',
	'ai.onnx.ml.Normalizer': 'expanded into ReduceSum and Div',
	'ai.onnx.ml.OneHotEncoder': 'expanded into Equal; numbers of categories',
	'ai.onnx.ml.Scaler': 'expanded into Sub and Mul; offset and scale are not trained',
	'com.microsoft.Attention': 'expanded into MatMul and Softmax; without past',
	'com.microsoft.BiasGelu': 'expanded into Add, Erf and Mul',
	'com.microsoft.EmbedLayerNormalization': 'expanded into Gather, Add and LayerNormalization',
	'com.microsoft.FastGelu': 'expanded into Add, Tanh and Mul',
	'com.microsoft.FusedConv': 'expanded into Conv, Add and the activation',
	'com.microsoft.FusedGemm': 'expanded into Gemm and the activation',
	'com.microsoft.FusedMatMul': 'expanded into Transpose, MatMul and Mul',
	'com.microsoft.Gelu': 'expanded into Erf and Mul',
	'com.microsoft.MultiHeadAttention': 'expanded into MatMul and Softmax',
	'com.microsoft.QuickGelu': 'expanded into Sigmoid and Mul',
	'com.microsoft.RotaryEmbedding': 'expanded into Mul, Slice and Concat',
	'com.microsoft.SkipLayerNormalization': 'expanded into Add and LayerNormalization',
	'com.microsoft.SkipSimplifiedLayerNormalization': 'expanded into Add, ReduceSum, Sqrt and Div',
	'com.microsoft.TransposeMatMul': 'expanded into Transpose, MatMul and Mul',
};
