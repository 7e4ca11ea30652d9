import { type Attribute, type Attributes, float, type GraphBuilder, type Shape, type Value } from '@steelyard/onnx';
import { tensor } from '@steelyard/runtime';
import type { Case } from '../gradient-check.js';

const floats = (value: number[]): Attribute => ({ type: 'floats', value });
const strings = (value: string[]): Attribute => ({ type: 'strings', value });

/** A use of an operator of classical machine learning. */
const use = (
	op: string,
	shapes: number[][],
	attributes: Attributes,
	{ shape, inputs, ...more }: { shape?: Shape; inputs?: (g: GraphBuilder, x: readonly Value[]) => Value[] } & Partial<Case> = {},
): Case => ({
	shapes,
	dtype: 'float32',
	opset: 17,
	build: (g, x) => g.op(`ai.onnx.ml.${op}`, inputs ? inputs(g, x) : x, attributes, { dtype: 'float32', shape: shape ?? x[0]!.shape }),
	...more,
});
/** The scores of a classifier, whose first output are labels. */
const scores = (attributes: Attributes, classes: number): Case => ({
	...use('LinearClassifier', [[2, 3]], attributes),
	build: (g, x) => {
		const outputs: Value[] = [
			{ name: 'labels', dtype: 'int64', shape: [2] },
			{ name: 'scores', dtype: 'float32', shape: [2, classes] },
		];
		g.node('ai.onnx.ml.LinearClassifier', x, outputs, attributes);
		return outputs[1] as Value;
	},
});
/** Numbers without their fraction as integers, and what an operator makes of these. */
const ofWhole = (op: string, attributes: Attributes, result: 'int64' | 'float32', shape: Shape): Case => ({
	...use(op, [[2, 3]], attributes),
	// half way between the steps of truncation
	data: [[0.5, 1.5, 5.5, 7.5, 1.5, -3.5]],
	build: (g, [x]) => {
		const y = g.op(`ai.onnx.ml.${op}`, [g.op('Cast', [x!], { to: 7 }, { dtype: 'int64' })], attributes, { dtype: result, shape });
		return g.add(g.cast(y, 'float32'), g.sumAll(x!));
	},
});
/** A column of missing values beside those that are there. */
const imputed = (missing: number, values: number[]): Case =>
	use(
		'Imputer',
		[[2, 3]],
		{ imputed_value_floats: floats(values), replaced_value_float: float(missing) },
		{ shape: [2, 4], inputs: (g, [x]) => [g.concat([x!, g.constant('float32', [2, 1], [missing, missing])], 1)] },
	);
const coefficients = floats([0.4, -0.3, 1.2, 0.7, 0.1, -0.8, -0.2, 0.9, 0.5]);
const table = (dtype: 'int64' | 'float32', values: number[]): Attribute => ({
	type: 'tensor',
	value: tensor(dtype, [values.length], values),
});

/** Uses of the operators of ai.onnx.ml that are written as others. */
export const classicalCases: Record<string, Case[]> = {
	'ai.onnx.ml.Scaler': [
		use('Scaler', [[2, 3]], { offset: floats([0.1, -2, 3]), scale: floats([2, 0.3, -1]) }),
		use('Scaler', [[2, 3]], { offset: floats([0.4]), scale: floats([1.5]) }),
	],
	'ai.onnx.ml.Normalizer': ['MAX', 'L1', 'L2'].flatMap((norm) => [
		use('Normalizer', [[3, 4]], { norm }, { data: [[1, 2, 0.3, -1, -0.5, 3, 2, 1, 0.2, 0.4, -2, 1.1]] }),
		use('Normalizer', [[2, 3]], { norm }, { data: [[-0.5, -2, -1, -0.7, -0.2, -3]] }),
	]),
	'ai.onnx.ml.Imputer': [imputed(7, [0.5, 1, 2, 3]), imputed(Number.NaN, [0.5])],
	'ai.onnx.ml.Binarizer': [use('Binarizer', [[2, 3]], { threshold: float(0.25) })],
	'ai.onnx.ml.OneHotEncoder': [ofWhole('OneHotEncoder', { cats_int64s: [1, 5, -3], zeros: 1 }, 'float32', [2, 3, 3])],
	'ai.onnx.ml.LabelEncoder': [
		ofWhole('LabelEncoder', { keys_int64s: [1, 5, 7], values_int64s: [10, -2, 3], default_int64: 8 }, 'int64', [2, 3]),
		ofWhole('LabelEncoder', { keys_int64s: [0, 1], values_floats: floats([0.5, 1.25]), default_float: float(2) }, 'float32', [2, 3]),
		ofWhole(
			'LabelEncoder',
			{ keys_tensor: table('int64', [0, 7]), values_tensor: table('float32', [3, 4]), default_tensor: table('float32', [-1]) },
			'float32',
			[2, 3],
		),
	],
	'ai.onnx.ml.LinearRegressor': [
		use('LinearRegressor', [[2, 3]], { coefficients, intercepts: floats([0.1, 0.2, -1]), targets: 3 }, { shape: [2, 3] }),
		use('LinearRegressor', [[2, 9]], { coefficients }, { shape: [2, 1] }),
	],
	'ai.onnx.ml.LinearClassifier': [
		...['NONE', 'LOGISTIC', 'SOFTMAX'].map((post_transform) =>
			scores({ coefficients, intercepts: floats([0.1, 0.2, -1]), classlabels_strings: strings(['a', 'b', 'c']), post_transform }, 3),
		),
		...['NONE', 'LOGISTIC'].map((post_transform) =>
			scores({ coefficients: floats([0.4, -0.3, 1.2]), intercepts: floats([0.1]), classlabels_ints: [0, 1], post_transform }, 2),
		),
		...['NONE', 'LOGISTIC'].map((post_transform) =>
			scores(
				{
					coefficients: floats([0.4, -0.3, 1.2, -0.4, 0.3, -1.2]),
					intercepts: floats([0.1, -0.1]),
					classlabels_ints: [0, 1],
					post_transform,
				},
				2,
			),
		),
	],
	'ai.onnx.ml.ArrayFeatureExtractor': [
		use('ArrayFeatureExtractor', [[2, 4]], {}, { shape: [2, 3], inputs: (g, [x]) => [x!, g.constant('int64', [1, 3], [3, 0, 0])] }),
		use('ArrayFeatureExtractor', [[2, 4]], {}, { shape: [2, 1], inputs: (g, [x]) => [x!, g.constant('int64', [1], [2])] }),
	],
	'ai.onnx.ml.FeatureVectorizer': [
		use(
			'FeatureVectorizer',
			[
				[2, 3],
				[2, 2],
			],
			{ inputdimensions: [3, 2] },
			{ shape: [2, 5] },
		),
	],
};
