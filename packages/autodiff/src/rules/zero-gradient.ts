import type { Rules } from '../rule.js';

const never = () => [];

const comparisons = ['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'IsNaN', 'IsInf', 'Not', 'And', 'Or', 'Xor'];
const bits = ['BitShift', 'BitwiseAnd', 'BitwiseOr', 'BitwiseXor', 'BitwiseNot'];
/** Functions that are constant but where they jump. Round is not among them: see its rule. */
const steps = ['Sign', 'Floor', 'Ceil'];
/** The operators without a gradient that are applied number by number. */
export const elementwiseSteps: ReadonlySet<string> = new Set([...comparisons, ...steps]);
const indices = ['Hardmax', 'ArgMax', 'ArgMin', 'NonZero', 'NonMaxSuppression'];
const sizes = ['Shape', 'Size', 'SequenceLength', 'OptionalHasElement'];
/** Operators whose outputs depend on sizes, counts and constants alone. Range too: its length, and so its bounds, are fixed in a canonical graph. */
const ofSizes = ['Constant', 'ConstantOfShape', 'EyeLike', 'Range', 'HannWindow', 'HammingWindow', 'BlackmanWindow', 'MelWeightMatrix'];
const randomNumbers = ['Bernoulli', 'Multinomial', 'RandomNormal', 'RandomNormalLike', 'RandomUniform', 'RandomUniformLike'];
/** Operators that read strings or bytes. */
const ofText = ['StringConcat', 'StringNormalizer', 'StringSplit', 'RegexFullMatch', 'TfIdfVectorizer', 'ImageDecoder'];
/** Operators beside the standard ones, which canonicalise writes as steps and indices. */
const ofClasses = ['Binarizer', 'LabelEncoder', 'OneHotEncoder'].map((op) => `ai.onnx.ml.${op}`);

/** Operators whose outputs do not vary with their inputs, or only in steps. */
export const zeroGradient: Rules = Object.fromEntries(
	[comparisons, bits, steps, indices, sizes, ofSizes, randomNumbers, ofText, ofClasses].flat().map((op) => [op, never]),
);
