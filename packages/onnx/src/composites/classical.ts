import type { GraphBuilder } from '../builder.js';
import type { Value } from '../graph.js';
import {
	type CompositeContext,
	compare,
	type Expansion,
	type Expansions,
	plus,
	real,
	sizes,
	slice,
	unsupported,
	where,
} from './composite.js';

/** The first input in float32, as rows of numbers: these operators give float32 whatever they read. */
const floats = ({ g, input }: CompositeContext): Value => g.cast(input(0), 'float32');
/** The numbers of an attribute as a row, beside which a value is broadcast. */
const row = (g: GraphBuilder, values: readonly number[]): Value => g.constant('float32', [values.length], values);
/** The sizes with another one in the place of the last. */
const withLast = (x: Value, size: number): number[] => [...sizes(x).slice(0, -1), size];

/** x after the attribute post_transform. */
function transformed(g: GraphBuilder, { node, text }: CompositeContext, x: Value): Value {
	const name = text('post_transform', 'NONE');
	if (name === 'NONE') return x;
	if (name === 'LOGISTIC') return g.op('Sigmoid', [x]);
	if (name === 'SOFTMAX') return g.op('Softmax', [x], { axis: -1 });
	throw unsupported(node, `has the attribute post_transform = "${name}", expected NONE, LOGISTIC or SOFTMAX`);
}

/** x·coefficientsᵀ + intercepts for `count` rows of coefficients: [batch, count]. */
function linear(context: CompositeContext, count: number): Value {
	const { g, floats: numbers, node } = context;
	const x = floats(context);
	const features = sizes(x).at(-1) as number;
	const coefficients = numbers('coefficients') ?? [];
	if (coefficients.length !== count * features)
		throw unsupported(node, `has ${coefficients.length} coefficients for ${features} features, expected ${count * features}`);
	const intercepts = numbers('intercepts');
	const product = g.matMul(
		g.reshape(x, [sizes(x).length === 1 ? 1 : (sizes(x)[0] as number), features]),
		g.transposed(g.constant('float32', [count, features], coefficients)),
	);
	return intercepts && intercepts.length > 0 ? g.add(product, row(g, intercepts)) : product;
}

// (x − offset)·scale
const scaler: Expansion = (context) => {
	const { g, floats: numbers } = context;
	const shift = numbers('offset');
	const factor = numbers('scale');
	const moved = shift ? g.sub(floats(context), row(g, shift)) : floats(context);
	return [factor ? g.mul(moved, row(g, factor)) : g.op('Identity', [moved])];
};

// each row by its largest number, the sum of its sizes or its length; a row of which that is 0 stays
const normalizer: Expansion = (context) => {
	const { g, text, node, opset } = context;
	const x = floats(context);
	const last = [x.shape.length - 1];
	const norm = text('norm', 'MAX');
	if (norm === 'MAX') {
		const shape = withLast(x, 1);
		const most = opset < 18 ? g.op('ReduceMax', [x], { axes: last }, { shape }) : g.reduce('ReduceMax', x, last);
		return [g.div(x, where(g, compare(g, 'Equal', most, real(g, 0, x.dtype)), real(g, 1, x.dtype), most, shape))];
	}
	if (norm !== 'L1' && norm !== 'L2') throw unsupported(node, `has the attribute norm = "${norm}", expected MAX, L1 or L2`);
	// the root of a sum of squares has no gradient at 0, so that the row of zeros is put aside before it
	const isZero = compare(g, 'Equal', g.reduceSum(g.op('Abs', [x]), last), real(g, 0, x.dtype));
	const safe = where(g, isZero, real(g, 1, x.dtype), x, sizes(x));
	const size = norm === 'L1' ? g.reduceSum(g.op('Abs', [safe]), last) : g.op('Sqrt', [g.reduceSum(g.mul(safe, safe), last)]);
	return [where(g, isZero, x, g.div(x, size), sizes(x))];
};

// another number in the place of one that stands for a missing value
const imputer: Expansion = ({ g, input, floats: numbers, ints, float, int }) => {
	const x = input(0);
	const isFloat = x.dtype.startsWith('float');
	const missing = isFloat ? float('replaced_value_float', 0) : int('replaced_value_int64', 0);
	const values = (isFloat ? numbers('imputed_value_floats') : ints('imputed_value_int64s')) ?? [];
	const isMissing = Number.isNaN(missing)
		? g.op('IsNaN', [x], {}, { dtype: 'bool' })
		: compare(g, 'Equal', x, g.constant(x.dtype, [], [missing]));
	return [where(g, isMissing, g.constant(x.dtype, [values.length], values), x, sizes(x))];
};

const binarizer: Expansion = ({ g, input, float }) => {
	const x = input(0);
	return [g.cast(compare(g, 'Greater', x, g.constant(x.dtype, [], [float('threshold', 0)])), x.dtype)];
};

/** Whether x is each of some numbers: [...x, numbers] bool. */
function equals(g: GraphBuilder, x: Value, numbers: readonly number[]): Value {
	const shape = [...sizes(x), numbers.length];
	return g.op('Equal', [g.reshape(x, [...sizes(x), 1]), g.constant(x.dtype, [numbers.length], numbers)], {}, { dtype: 'bool', shape });
}

const oneHot: Expansion = ({ g, input, ints, int, node }) => {
	const categories = ints('cats_int64s');
	if (categories === null)
		throw unsupported(node, 'has categories that are strings, expected cats_int64s: give the numbers of categories instead');
	if (int('zeros', 1) === 0) throw unsupported(node, 'has the attribute zeros = 0, which fails at unknown categories, expected 1');
	return [g.cast(equals(g, g.cast(input(0), 'int64'), categories), 'float32')];
};

/** The most keys of a LabelEncoder: each number is compared with all of them. */
const MOST_KEYS = 4096;

// the value whose key is the number, or the default
const labelEncoder: Expansion = ({ g, input, node, floats: numbers, ints, int, float }) => {
	const tensorOf = (name: string): number[] | null => {
		const attribute = node.attributes[name];
		return attribute?.type === 'tensor' ? Array.from(attribute.value.data as ArrayLike<number | bigint>, Number) : null;
	};
	const x = input(0);
	const keys = ints('keys_int64s') ?? numbers('keys_floats') ?? tensorOf('keys_tensor');
	const whole = ints('values_int64s');
	const values = whole ?? numbers('values_floats') ?? tensorOf('values_tensor');
	const given = node.attributes['values_tensor'];
	const dtype = given?.type === 'tensor' ? given.value.dtype : whole ? 'int64' : 'float32';
	if (keys === null || values === null)
		throw unsupported(node, 'has keys or values that are strings, expected numbers: give the numbers of the labels instead');
	if (keys.length > MOST_KEYS || keys.some(Number.isNaN))
		throw unsupported(node, `has ${keys.length} keys or one that is no number, expected at most ${MOST_KEYS} numbers`);
	const otherwise = tensorOf('default_tensor')?.[0] ?? (dtype === 'int64' ? int('default_int64', -1) : float('default_float', -0));
	// the first key that is equal, or behind all keys the default
	const found = g.concat([g.cast(equals(g, x, keys), 'float32'), g.expand(g.scalar(1), [...sizes(x), 1])], x.shape.length);
	const place = g.op('ArgMax', [found], { axis: -1, keepdims: 0 }, { dtype: 'int64', shape: sizes(x) });
	const table = g.constant(dtype, [values.length + 1], [...values, otherwise]);
	return [g.op('Gather', [table, place], { axis: 0 }, { shape: sizes(x) })];
};

const linearClassifier: Expansion = (context) => {
	const { g, ints, text, wants, floats: numbers, node } = context;
	const labels = ints('classlabels_ints');
	const count = numbers('intercepts')?.length ?? 0;
	const product = linear(context, count);
	// one row of coefficients tells two classes apart, by its sign
	const isBinary = count === 1;
	if (isBinary && text('post_transform', 'NONE') === 'SOFTMAX')
		throw unsupported(node, 'has the attribute post_transform = SOFTMAX for one row of coefficients, expected NONE or LOGISTIC');
	const changed = transformed(g, context, product);
	const scores = isBinary ? g.concat([plus(g, g.neg(changed), 1), changed], 1) : changed;
	const ranked = isBinary ? g.concat([g.neg(product), product], 1) : scores;
	if (!wants(0)) return [null, scores];
	if (labels === null) throw unsupported(node, 'gives labels that are strings, expected a model of which only the scores are used');
	const best = g.op('ArgMax', [ranked], { axis: 1, keepdims: 0 }, { dtype: 'int64', shape: [sizes(scores)[0] as number] });
	return [g.op('Gather', [g.constant('int64', [labels.length], labels), best], { axis: 0 }, { shape: best.shape }), scores];
};

// the columns of a row that the second input lists
const extractor: Expansion = ({ g, input }) => {
	const [x, at] = [input(0), input(1)];
	const count = sizes(at).reduce((product, size) => product * size, 1);
	const rows = x.shape.length === 1 ? g.reshape(x, [1, ...sizes(x)]) : x;
	return [g.op('Gather', [rows, g.reshape(at, [count])], { axis: -1 }, { shape: withLast(rows, count) })];
};

// the inputs side by side
const vectorizer: Expansion = ({ g, input, ints, node }) => {
	const widths = ints('inputdimensions') ?? [];
	const parts = node.inputs.map((_, i) => {
		const x = g.cast(input(i), 'float32');
		const flat = sizes(x).length === 1 ? g.reshape(x, [sizes(x)[0] as number, 1]) : x;
		const [width = sizes(flat)[1] as number, size] = [widths[i], sizes(flat)[1] as number];
		if (width > size) throw unsupported(node, `asks for ${width} columns of input ${i}, which has ${size}`);
		return width === size ? flat : slice(g, flat, 1, 0, width);
	});
	return [g.concat(parts, 1)];
};

/** Operators of classical machine learning, as scikit-learn's converter writes them before and behind a network. */
export const classical: Expansions = Object.fromEntries(
	Object.entries<Expansion>({
		Scaler: scaler,
		Normalizer: normalizer,
		Imputer: imputer,
		Binarizer: binarizer,
		OneHotEncoder: oneHot,
		LabelEncoder: labelEncoder,
		LinearRegressor: (context) => [transformed(context.g, context, linear(context, context.int('targets', 1)))],
		LinearClassifier: linearClassifier,
		ArrayFeatureExtractor: extractor,
		FeatureVectorizer: vectorizer,
	}).map(([name, expansion]) => [`ai.onnx.ml.${name}`, expansion]),
);
