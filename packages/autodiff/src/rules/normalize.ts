import { type GraphBuilder, GraphError, positiveAxis, staticShape, type Value } from '@steelyard/onnx';
import { product, upTo } from '../axes.js';
import { choose, isZero, withoutZeros } from '../choose.js';
import { likeType } from '../float-types.js';
import type { Rule, RuleContext, Rules } from '../rule.js';
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

/** y = x̂·scale + bias of any shapes; the mean and 1/√(variance + ε) are outputs as well. */
const layerNormalization: Rule = ({ x, second: scale, third: bias, dys, g, needs, int, float }) => {
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
};

/** Whether a LayerNormalization gives y alone, of an x whose rows are as long as its scale and its bias, and stands in the graph of the backward pass itself. */
function fitsRows({ x, second: scale, third: bias, outputs, g, forward, int }: RuleContext): boolean {
	const axis = positiveAxis(int('axis', -1), x.shape.length);
	const parameters = bias === null ? [scale] : [scale, bias];
	if ([x, ...parameters].some(({ shape }) => shape.some((dim) => typeof dim !== 'number'))) return false;
	const size = product(staticShape(x).slice(axis));
	const isLong = parameters.every((one) => product(staticShape(one)) === size && one.dtype === x.dtype);
	return isLong && forward === g && outputs.slice(1).every((output) => output === null);
}

/**
 * LayerNormalization of the rows of a matrix [n, d], whose x̂ the backward pass takes from the forward pass: elementary operators stand in the place of the node, since
 * the runtime's own kernel takes three times as long as they do, and gives no x̂. Sums along a row are products with a column, which are faster than reductions.
 */
const layerNormalizationOfRows: Rule = ({ node, x, second: scale, third: bias, y, dy, g, forward, needs, int, float }) => {
	const axis = positiveAxis(int('axis', -1), x.shape.length);
	const [n, d] = [product(staticShape(x).slice(0, axis)), product(staticShape(x).slice(axis))];
	const f = forward.nested();
	const { inverse, standard } = standardise(f, f.reshape(x, [n, d]), [1], float('epsilon', 1e-5));
	const scaled = f.mul(standard, f.reshape(scale, [1, d]));
	const shifted = bias === null ? scaled : f.add(scaled, f.reshape(bias, [1, d]));
	f.node('Reshape', [shifted, f.ints(staticShape(y))], [y]);
	forward.replace(node, f.build(node.name));

	const dyRows = g.reshape(dy, [n, d]);
	const weighted = g.mul(dyRows, standard);
	const share = g.reshape(g.scale(1 / d, scale), [d, 1]);
	// dx = (dy·scale − mean(dy·scale) − x̂·mean(dy·scale·x̂))/√(variance + ε)
	const dx = (): Value => {
		const [mean, slope] = [g.gemm(dyRows, share), g.gemm(weighted, share)];
		const own = g.sub(g.mul(dyRows, g.reshape(scale, [1, d])), mean);
		return g.reshape(g.mul(inverse, g.sub(own, g.mul(standard, slope))), x.shape);
	};
	return [
		needs[0] ? dx() : null,
		needs[1] ? g.sumTo(scale.shape, g.reshape(weighted, x.shape)) : null,
		bias && needs[2] ? g.sumTo(bias.shape, dy) : null,
	];
};

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
	LayerNormalization: (context) => (fitsRows(context) ? layerNormalizationOfRows : layerNormalization)(context),
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
	// y = (x − mean)·scale/√(variance + ε) + bias. In training mean and variance are those of the batch, over its n numbers of a channel, and
	// dx = (dy − Σ dy/n − (x − mean)·Σ dy·(x − mean)/(n·(variance + ε)))·scale/√(variance + ε). The running statistics that it puts out are momentum·(what came in)
	// + (1 − momentum)·(that of the batch).
	BatchNormalization: ({ x, second: scale, inputs, dys, g, needs, int, float }) => {
		const training = int('training_mode', 0) === 1;
		const axes = acrossChannel(x);
		const [, , , running, runningVariance] = inputs as Value[];
		const perChannel = (value: Value): Value => g.reduceSum(value, axes, false);
		const besideX = (value: Value): Value => byChannel(g, x, likeType(g, value, x));
		const count = product(axes.map((axis) => Number(x.shape[axis])));
		const centred = g.sub(x, training ? mean(g, x, axes) : besideX(running!));
		const inverse = inverseRoot(g, training ? mean(g, g.mul(centred, centred), axes) : besideX(runningVariance!), float('epsilon', 1e-5));
		const [dy = null, dmean = null, dvariance = null] = dys;
		const sum = dy && perChannel(dy);
		const alongX = dy && perChannel(g.mul(dy, centred));
		const dscale = alongX && g.mul(alongX, g.reshape(inverse, alongX.shape));
		const varied = (): Value => {
			const share = g.scale(1 / count, g.mul(besideX(dscale!), inverse));
			return g.sub(g.sub(dy!, g.scale(1 / count, besideX(sum!))), g.mul(centred, share));
		};
		const through = dy && g.mul(training ? varied() : dy, g.mul(besideX(scale), inverse));
		const momentum = float('momentum', 0.9);
		const share = (gradient: Value, factor: number): Value => byChannel(g, x, g.scale((1 - momentum) * factor, likeType(g, gradient, x)));
		const throughMean = dmean ? g.expand(share(dmean, 1 / count), staticShape(x)) : null;
		const throughVariance = dvariance ? g.mul(centred, share(dvariance, 2 / count)) : null;
		const kept = (gradient: Value | null | undefined): Value | null => (gradient ? g.scale(momentum, gradient) : null);
		const drunning = (input: number, gradient: (through: Value) => Value): Value | null => {
			if (!needs[input]) return null;
			if (training) return kept(dys[input - 2]);
			return through && likeType(g, gradient(through), inputs[input] as Value);
		};
		return [
			needs[0] ? sumOf(g, [through, throughMean, throughVariance]) : null,
			dscale && needs[1] ? likeType(g, dscale, scale) : null,
			sum && needs[2] ? likeType(g, sum, scale) : null,
			drunning(3, (dx) => g.neg(perChannel(dx))),
			drunning(4, (dx) => g.scale(-0.5, perChannel(g.mul(dx, g.mul(centred, g.mul(inverse, inverse)))))),
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
