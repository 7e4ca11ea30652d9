import { type GraphBuilder, GraphError, positiveAxis, staticShape, type Value } from '@steelyard/onnx';
import { product, upTo } from '../axes.js';
import { choose, isZero, withoutZeros } from '../choose.js';
import { likeType } from '../float-types.js';
import type { Rules } from '../rule.js';
import { alongAxis, transposed } from './along-axis.js';

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

const sumOf = (g: GraphBuilder, terms: ReadonlyArray<Value | null>): Value | null =>
	terms.reduce((sum, term) => (sum && term ? g.add(sum, term) : (sum ?? term)), null);

export const normalize: Rules = {
	// dx = y·(dy − Σ y·dy)
	Softmax: ({ y, dy, g, int }) => {
		const axis = positiveAxis(int('axis', -1), y.shape.length);
		const weighted = g.mul(y, dy);
		return [g.sub(weighted, g.mul(y, g.reduceSum(weighted, [axis])))];
	},
	// dx = dy − exp(y)·Σ dy
	LogSoftmax: ({ y, dy, g, int }) => {
		const axis = positiveAxis(int('axis', -1), y.shape.length);
		return [g.sub(dy, g.mul(g.exp(y), g.reduceSum(dy, [axis])))];
	},
	// y = x̂·scale + bias; the mean and 1/√(variance + ε) are outputs as well
	LayerNormalization: ({ x, second: scale, third: bias, dys, g, needs, int, float }) => {
		const axes = axesFrom(positiveAxis(int('axis', -1), x.shape.length), x);
		const parts = standardise(g, x, axes, float('epsilon', 1e-5));
		const [dy, dmean, dinverse] = dys.map((gradient) => gradient && likeType(g, gradient, x));
		const through = dy ? standardiseGradient(g, parts, g.mul(dy, scale), axes) : null;
		const count = product(axes.map((axis) => Number(x.shape[axis])));
		const throughMean = dmean ? g.scale(1 / count, dmean) : null;
		const cube = (): Value => g.mul(parts.inverse, g.mul(parts.inverse, parts.inverse));
		const throughInverse = dinverse ? g.mul(parts.centred, g.scale(-1 / count, g.mul(dinverse, cube()))) : null;
		return [
			needs[0] ? sumOf(g, [through, throughInverse, throughMean]) : null,
			dy && needs[1] ? g.sumTo(scale.shape, g.mul(dy, parts.standard)) : null,
			dy && bias && needs[2] ? g.sumTo(bias.shape, dy) : null,
		];
	},
	InstanceNormalization: ({ x, second: scale, dy, g, needs, float }) => {
		const axes = axesFrom(2, x);
		const parts = standardise(g, x, axes, float('epsilon', 1e-5));
		const perChannel = (value: Value): Value => g.reduceSum(value, acrossChannel(x), false);
		return [
			needs[0] ? standardiseGradient(g, parts, g.mul(dy, byChannel(g, x, scale)), axes) : null,
			needs[1] ? perChannel(g.mul(dy, parts.standard)) : null,
			needs[2] ? perChannel(dy) : null,
		];
	},
	// In training x̂ comes from the batch, otherwise from the running mean and variance. The running statistics that it puts out are
	// momentum·(what came in) + (1 − momentum)·(that of the batch).
	BatchNormalization: ({ x, second: scale, inputs, dys, g, needs, int, float }) => {
		const training = int('training_mode', 0) === 1;
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
		const [dy = null, dmean = null, dvariance = null] = dys;
		const dstandard = dy && g.mul(dy, byChannel(g, x, likeType(g, scale, x)));
		const through = dstandard && (training ? standardiseGradient(g, parts, dstandard, axes) : g.mul(dstandard, parts.inverse));
		const momentum = float('momentum', 0.9);
		const share = (gradient: Value, factor: number): Value => byChannel(g, x, g.scale((1 - momentum) * factor, likeType(g, gradient, x)));
		const count = product(axes.map((axis) => Number(x.shape[axis])));
		const throughMean = dmean ? g.expand(share(dmean, 1 / count), staticShape(x)) : null;
		const throughVariance = dvariance ? g.mul(parts.centred, share(dvariance, 2 / count)) : null;
		const kept = (gradient: Value | null | undefined): Value | null => (gradient ? g.scale(momentum, gradient) : null);
		const drunning = (input: number, gradient: (through: Value) => Value): Value | null => {
			if (!needs[input]) return null;
			if (training) return kept(dys[input - 2]);
			return through && likeType(g, gradient(through), inputs[input] as Value);
		};
		return [
			needs[0] ? sumOf(g, [through, throughMean, throughVariance]) : null,
			dy && needs[1] ? likeType(g, perChannel(g.mul(dy, parts.standard)), scale) : null,
			dy && needs[2] ? likeType(g, perChannel(dy), scale) : null,
			drunning(3, (dx) => g.neg(perChannel(dx))),
			drunning(4, (dx) => g.scale(-0.5, perChannel(g.mul(dx, g.mul(parts.standard, parts.inverse))))),
		];
	},
	// y = x·s^−β, s = bias + α/size·Σ x² over the channels around: dx = dy·s^−β − 2αβ/size·x·Σ dy·y/s over the channels that count this one among them
	LRN: ({ x, y, dy, g, int, float }) => {
		const [size, alpha, beta] = [int('size', 1), float('alpha', 1e-4), float('beta', 0.75)];
		const channels = upTo(staticShape(x)[1] as number);
		const before = Math.floor((size - 1) / 2);
		const around = channels.map((c) => channels.map((other) => (other >= c - before && other < c - before + size ? 1 : 0)));
		const squares = alongAxis(g, around, g.mul(x, x), 1);
		const s = g.add(g.scale(alpha / size, squares), g.scalar(float('bias', 1), x.dtype));
		const back = alongAxis(g, transposed(around), g.div(g.mul(dy, y), s), 1);
		const own = g.mul(dy, g.op('Pow', [s, g.scalar(-beta, x.dtype)]));
		return [g.sub(own, g.scale((2 * alpha * beta) / size, g.mul(x, back)))];
	},
	// y = x/‖x‖: dx = (dy − ∂‖x‖·Σ y·dy)/‖x‖, where ∂‖x‖ is sign(x) or y; zero where the norm is
	LpNormalization: ({ x, y, dy, g, int }) => {
		const axis = positiveAxis(int('axis', -1), x.shape.length);
		const first = int('p', 2) === 1;
		const norm = g.reduce(first ? 'ReduceL1' : 'ReduceL2', x, [axis]);
		const divisor = withoutZeros(g, norm);
		const passed = choose(g, isZero(g, norm), g.scalar(0, x.dtype), dy);
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
