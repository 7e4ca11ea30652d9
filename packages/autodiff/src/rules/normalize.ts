import { type GraphBuilder, GraphError, type Value } from '@steelyard/onnx';
import type { Rules } from '../rule.js';

const positive = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);
const axesFrom = (first: number, x: Value): number[] => x.shape.flatMap((_, axis) => (axis < first ? [] : [axis]));
const mean = (g: GraphBuilder, x: Value, axes: readonly number[]): Value => g.reduce('ReduceMean', x, axes);
const inverseRoot = (g: GraphBuilder, variance: Value, epsilon: number): Value =>
	g.div(g.scalar(1, variance.dtype), g.op('Sqrt', [g.add(variance, g.scalar(epsilon, variance.dtype))]));

/** x̂ = (x − mean) / √(variance + ε) over `axes`, with its parts. */
function standardise(g: GraphBuilder, x: Value, axes: readonly number[], epsilon: number) {
	const centred = g.sub(x, mean(g, x, axes));
	const inverse = inverseRoot(g, mean(g, g.mul(centred, centred), axes), epsilon);
	return { centred, inverse, standard: g.mul(centred, inverse) };
}

/** The gradient of x through x̂: (dx̂ − mean(dx̂) − x̂·mean(dx̂·x̂)) / √(variance + ε). */
function standardiseGradient(
	g: GraphBuilder,
	{ inverse, standard }: ReturnType<typeof standardise>,
	dstandard: Value,
	axes: readonly number[],
): Value {
	const centred = g.sub(dstandard, mean(g, dstandard, axes));
	return g.mul(inverse, g.sub(centred, g.mul(standard, mean(g, g.mul(dstandard, standard), axes))));
}

/** A value by channel, [C], to stand beside x [N, C, …]. */
const byChannel = (g: GraphBuilder, x: Value, value: Value): Value => g.reshape(value, [x.shape[1]!, ...x.shape.slice(2).map(() => 1)]);
/** All axes but the channels'. */
const acrossChannel = (x: Value): number[] => [0, ...axesFrom(2, x)];

/** The statistics of a norm may have another type than x. */
const likeType = (g: GraphBuilder, value: Value, x: Value): Value =>
	value.dtype === x.dtype
		? value
		: g.op('Cast', [value], { to: x.dtype === 'float64' ? 11 : x.dtype === 'float16' ? 10 : 1 }, { dtype: x.dtype });

const sumOf = (g: GraphBuilder, terms: ReadonlyArray<Value | null>): Value | null =>
	terms.reduce((sum, term) => (sum && term ? g.add(sum, term) : (sum ?? term)), null);

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
	// y = x̂·scale + bias; the mean and 1/√(variance + ε) are outputs as well
	LayerNormalization: ({ a: x, b: scale, c: bias, dys, g, needs, int, float }) => {
		const axes = axesFrom(positive(int('axis', -1), x.shape.length), x);
		const parts = standardise(g, x, axes, float('epsilon', 1e-5));
		const [dy, dmean, dinverse] = dys.map((gradient) => gradient && likeType(g, gradient, x));
		const through = dy ? standardiseGradient(g, parts, g.mul(dy, scale), axes) : null;
		const count = axes.reduce((product, axis) => product * Number(x.shape[axis]), 1);
		const ofMean = dmean ? g.scale(1 / count, dmean) : null;
		const cube = (): Value => g.mul(parts.inverse, g.mul(parts.inverse, parts.inverse));
		const ofInverse = dinverse ? g.mul(parts.centred, g.scale(-1 / count, g.mul(dinverse, cube()))) : null;
		return [
			needs[0] ? sumOf(g, [through, ofInverse, ofMean]) : null,
			dy && needs[1] ? g.sumTo(scale.shape, g.mul(dy, parts.standard)) : null,
			dy && bias && needs[2] ? g.sumTo(bias.shape, dy) : null,
		];
	},
	InstanceNormalization: ({ a: x, b: scale, dy, g, needs, float }) => {
		const axes = axesFrom(2, x);
		const parts = standardise(g, x, axes, float('epsilon', 1e-5));
		const perChannel = (value: Value): Value => g.reduceSum(value, acrossChannel(x), false);
		return [
			needs[0] ? standardiseGradient(g, parts, g.mul(dy, byChannel(g, x, scale)), axes) : null,
			needs[1] ? perChannel(g.mul(dy, parts.standard)) : null,
			needs[2] ? perChannel(dy) : null,
		];
	},
	// In training x̂ comes from the batch, otherwise from the running mean and variance.
	BatchNormalization: ({ node, a: x, b: scale, inputs, dy, dys, g, needs, int, float }) => {
		const training = int('training_mode', 0) === 1;
		if (dys[1] || dys[2])
			throw new GraphError(
				'unsupported_model',
				`the loss depends on the running statistics of node "${node.name}" (BatchNormalization); only its first output can be differentiated`,
				node.name,
			);
		const axes = acrossChannel(x);
		const epsilon = float('epsilon', 1e-5);
		const [, , , mean, variance] = inputs as Value[];
		const perChannel = (value: Value): Value => g.reduceSum(value, axes, false);
		const fixed = () => {
			const centred = g.sub(x, byChannel(g, x, likeType(g, mean!, x)));
			const inverse = byChannel(g, x, inverseRoot(g, likeType(g, variance!, x), epsilon));
			return { centred, inverse, standard: g.mul(centred, inverse) };
		};
		const parts = training ? standardise(g, x, axes, epsilon) : fixed();
		const dstandard = g.mul(dy, byChannel(g, x, likeType(g, scale, x)));
		const through = training ? standardiseGradient(g, parts, dstandard, axes) : g.mul(dstandard, parts.inverse);
		const ofRunning = (wanted: boolean | undefined, gradient: () => Value, to: Value | undefined): Value | null =>
			wanted && !training ? likeType(g, gradient(), to!) : null;
		return [
			needs[0] ? through : null,
			needs[1] ? likeType(g, perChannel(g.mul(dy, parts.standard)), scale) : null,
			needs[2] ? likeType(g, perChannel(dy), scale) : null,
			ofRunning(needs[3], () => g.neg(perChannel(through)), mean),
			ofRunning(needs[4], () => g.scale(-0.5, perChannel(g.mul(through, g.mul(parts.standard, parts.inverse)))), variance),
		];
	},
	// y = x/‖x‖: dx = (dy − ∂‖x‖·Σ y·dy)/‖x‖, where ∂‖x‖ is sign(x) or y; zero where the norm is
	LpNormalization: ({ a: x, y, dy, g, int }) => {
		const axis = positive(int('axis', -1), x.shape.length);
		const first = int('p', 2) === 1;
		const norm = g.reduce(first ? 'ReduceL1' : 'ReduceL2', x, [axis]);
		const none = g.op('Equal', [norm, g.scalar(0, x.dtype)], {}, { dtype: 'bool' });
		const divisor = g.op('Where', [none, g.scalar(1, x.dtype), norm], {}, { dtype: x.dtype, shape: norm.shape });
		const passed = g.op('Where', [none, g.scalar(0, x.dtype), dy], {}, { dtype: x.dtype, shape: x.shape });
		const slope = first ? g.op('Sign', [x]) : y;
		return [g.div(g.sub(passed, g.mul(slope, g.reduceSum(g.mul(y, passed), [axis]))), divisor)];
	},
	Dropout: ({ node, inputs, dy, constant }) => {
		if (inputs[2] && constant(2)[0] !== 0)
			throw new GraphError(
				'unsupported_model',
				`node "${node.name}" is a Dropout in training mode, whose mask the runtime draws unseen; expected training_mode = false (export the model in evaluation mode, and ask for dropout in the training options)`,
				node.name,
			);
		return [dy, null, null];
	},
};
