/** What an operator does with one of its inputs. */
export type Use = { readonly kind: 'parameter' | 'operand' | 'constant'; readonly what: string };

const parameter = (what: string): Use => ({ kind: 'parameter', what });
/** A parameter where it has more than one element, a mere constant where it is one number. */
const operand = (what: string): Use => ({ kind: 'operand', what });
const constant = (what: string): Use => ({ kind: 'constant', what });

const WEIGHT = parameter('weight');
const BIAS = parameter('bias');
const SCALE = parameter('scale');
const SHIFT = parameter('shift');
const QUERY = parameter('learned operand');
const TABLE = operand('embeddings');
const THRESHOLD = constant('threshold');
const recurrent = [
	WEIGHT,
	parameter('input weights'),
	parameter('recurrent weights'),
	BIAS,
	null,
	operand('initial state'),
	operand('initial cell state'),
	parameter('peepholes'),
];
const convolution = [WEIGHT, WEIGHT, BIAS];
const norm = [null, SCALE, SHIFT];
const quantised = [null, constant('quantisation scale'), constant('zero point')];
const sum = operand('term');

/** The uses of the inputs of an operator, in their order; null for an input of data. Operators that pass their first input on are among the views. */
const usesByOperator: Readonly<Record<string, readonly (Use | null)[]>> = {
	MatMul: [WEIGHT, WEIGHT],
	Gemm: convolution,
	Conv: convolution,
	ConvTranspose: convolution,
	DeformConv: [WEIGHT, WEIGHT, null, BIAS],
	LSTM: recurrent,
	GRU: recurrent,
	RNN: recurrent,
	LayerNormalization: norm,
	RMSNormalization: norm,
	GroupNormalization: norm,
	InstanceNormalization: norm,
	BatchNormalization: [
		null,
		SCALE,
		SHIFT,
		constant('running mean, a statistic and no parameter'),
		constant('running variance, a statistic and no parameter'),
	],
	PRelu: [null, parameter('slope')],
	Gather: [TABLE],
	GatherElements: [TABLE],
	GatherND: [TABLE],
	GridSample: [operand('learned grid')],
	Attention: [QUERY, QUERY, QUERY, operand('bias of the scores'), QUERY, QUERY],
	SimplifiedLayerNormalization: norm,
	'com.microsoft.FusedMatMul': [WEIGHT, WEIGHT],
	'com.microsoft.TransposeMatMul': [WEIGHT, WEIGHT],
	'com.microsoft.FusedGemm': convolution,
	'com.microsoft.FusedConv': [...convolution, sum],
	'com.microsoft.BiasGelu': [null, BIAS],
	'com.microsoft.FastGelu': [null, BIAS],
	'com.microsoft.SkipLayerNormalization': [sum, sum, SCALE, SHIFT, BIAS],
	'com.microsoft.SkipSimplifiedLayerNormalization': [sum, sum, SCALE, BIAS],
	'com.microsoft.EmbedLayerNormalization': [null, null, TABLE, TABLE, TABLE, SCALE, SHIFT],
	'com.microsoft.Attention': [null, WEIGHT, BIAS, null, QUERY, operand('bias of the scores')],
	'com.microsoft.MultiHeadAttention': [QUERY, QUERY, QUERY, BIAS, null, operand('bias of the scores'), QUERY, QUERY],
	'com.microsoft.RotaryEmbedding': [null, null, constant('table of cosines'), constant('table of sines')],
	RotaryEmbedding: [null, constant('table of cosines'), constant('table of sines')],
	ScatterElements: [operand('values before the writing'), null, operand('values written')],
	ScatterND: [operand('values before the writing'), null, operand('values written')],
	Sub: [sum, operand('subtrahend')],
	Div: [operand('dividend'), operand('divisor')],
	Where: [null, operand('choice'), operand('choice')],
	Pow: [operand('base'), constant('exponent')],
	Clip: [null, constant('lower bound'), constant('upper bound')],
	Max: [THRESHOLD, THRESHOLD],
	Min: [THRESHOLD, THRESHOLD],
	Resize: [null, constant('region'), constant('scales')],
	Upsample: [null, constant('scales')],
	Dropout: [null, constant('ratio')],
	Pad: [null, null, constant('value of the padding')],
	OneHot: [null, null, constant('on and off values')],
	QuantizeLinear: quantised,
	DequantizeLinear: quantised,
	SoftmaxCrossEntropyLoss: [null, null, constant('class weights')],
	NegativeLogLikelihoodLoss: [null, null, constant('class weights')],
	Greater: [THRESHOLD, THRESHOLD],
	GreaterOrEqual: [THRESHOLD, THRESHOLD],
	Less: [THRESHOLD, THRESHOLD],
	LessOrEqual: [THRESHOLD, THRESHOLD],
	Equal: [THRESHOLD, THRESHOLD],
};

/** Operators of any number of inputs that do the same with each of them. */
const sameForEveryInput: Readonly<Record<string, Use>> = {
	Einsum: WEIGHT,
	Add: sum,
	Sum: sum,
	Mean: sum,
	Mul: operand('factor'),
	Concat: operand('learned part'),
};

/** Operators whose output is their first input in another form: who uses the output uses the input. */
const views: ReadonlySet<string> = new Set(
	'Carry Cast CastLike DequantizeLinear Expand Flatten Identity Pad Reshape Slice Split Squeeze Tile Transpose Trilu Unsqueeze'.split(' '),
);

/** Whether `op` passes its input at `place` on in another form. */
export const isView = (op: string, place: number): boolean => place === 0 && views.has(op);

/** What `op` does with its input at `place`, where another of its inputs depends on data. */
export function useOf(op: string, place: number): Use {
	const same = Object.hasOwn(sameForEveryInput, op) ? sameForEveryInput[op] : undefined;
	const uses = Object.hasOwn(usesByOperator, op) ? usesByOperator[op] : undefined;
	return same ?? uses?.[place] ?? constant('operand');
}
