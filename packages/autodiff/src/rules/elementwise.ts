import { float, type GraphBuilder, type Value } from '@steelyard/onnx';
import { choose, compare, oneWhere } from '../choose.js';
import { isFloat, isHalf, likeType } from '../float-types.js';
import { geluGradient } from '../gelu.js';
import type { Rule, Rules } from '../rule.js';

/** `yes` where x > limit, else `no`. At the limit itself that is the derivative from below, as in PyTorch. */
const above = (g: GraphBuilder, x: Value, limit: number, yes: Value, no: Value): Value =>
	choose(g, compare(g, 'Greater', x, g.scalar(limit, x.dtype)), yes, no);

/** 1 − x². */
const oneMinusSquare = (g: GraphBuilder, x: Value): Value => g.sub(g.scalar(1, x.dtype), g.mul(x, x));
/** 1 + x². */
const onePlusSquare = (g: GraphBuilder, x: Value): Value => g.add(g.scalar(1, x.dtype), g.mul(x, x));

/** Max and Min: the gradient goes to the inputs that equal the output; those that tie share it equally, as in PyTorch. */
const extreme: Rule = ({ inputs, y, dy, g }) => {
	const hits = inputs.map((x) => oneWhere(g, compare(g, 'Equal', x as Value, y), y));
	const share = g.div(
		dy,
		hits.reduce((sum, hit) => g.add(sum, hit)),
	);
	return inputs.map((x, i) => g.sumTo((x as Value).shape, g.mul(share, hits[i] as Value)));
};

export const elementwise: Rules = {
	Identity: ({ dy }) => [dy],
	Neg: ({ dy, g }) => [g.neg(dy)],
	Exp: ({ y, dy, g }) => [g.mul(dy, y)],
	Log: ({ x, dy, g }) => [g.div(dy, x)],
	Sqrt: ({ y, dy, g }) => [g.div(g.scale(0.5, dy), y)],
	Abs: ({ x, dy, g }) => [g.mul(dy, g.op('Sign', [x]))],
	Tanh: ({ y, dy, g }) => [g.mul(dy, g.sub(g.scalar(1, y.dtype), g.mul(y, y)))],
	// in this order, so that the body of a Scan finds the product of y and what dy was made of where the forward pass has made it
	Sigmoid: ({ y, dy, g }) => [g.mul(g.mul(dy, y), g.sub(g.scalar(1, y.dtype), y))],
	Softplus: ({ x, dy, g }) => [g.mul(dy, g.op('Sigmoid', [x]))],
	Sin: ({ x, dy, g }) => [g.mul(dy, g.op('Cos', [x]))],
	Cos: ({ x, dy, g }) => [g.neg(g.mul(dy, g.op('Sin', [x])))],
	Tan: ({ y, dy, g }) => [g.mul(dy, onePlusSquare(g, y))],
	Asin: ({ x, dy, g }) => [g.div(dy, g.op('Sqrt', [oneMinusSquare(g, x)]))],
	Acos: ({ x, dy, g }) => [g.neg(g.div(dy, g.op('Sqrt', [oneMinusSquare(g, x)])))],
	Atan: ({ x, dy, g }) => [g.div(dy, onePlusSquare(g, x))],
	Asinh: ({ x, dy, g }) => [g.div(dy, g.op('Sqrt', [onePlusSquare(g, x)]))],
	Acosh: ({ x, dy, g }) => [g.div(dy, g.op('Sqrt', [g.neg(oneMinusSquare(g, x))]))],
	Atanh: ({ x, dy, g }) => [g.div(dy, oneMinusSquare(g, x))],
	Sinh: ({ x, dy, g }) => [g.mul(dy, g.op('Cosh', [x]))],
	Cosh: ({ x, dy, g }) => [g.mul(dy, g.op('Sinh', [x]))],
	Erf: ({ x, dy, g }) => [g.mul(dy, g.scale(2 / Math.sqrt(Math.PI), g.exp(g.neg(g.mul(x, x)))))],
	Reciprocal: ({ y, dy, g }) => [g.neg(g.mul(dy, g.mul(y, y)))],
	Softsign: ({ y, dy, g }) => {
		const root = g.sub(g.scalar(1, y.dtype), g.op('Abs', [y]));
		return [g.mul(dy, g.mul(root, root))];
	},
	LeakyRelu: ({ x, dy, g, float }) => [above(g, x, 0, dy, g.scale(float('alpha', 0.01), dy))],
	Elu: ({ x, y, dy, g, float }) => [above(g, x, 0, dy, g.mul(dy, g.add(y, g.scalar(float('alpha', 1), y.dtype))))],
	Celu: ({ x, y, dy, g, float }) => [above(g, x, 0, dy, g.mul(dy, g.add(g.scale(1 / float('alpha', 1), y), g.scalar(1, y.dtype))))],
	Selu: ({ x, y, dy, g, float }) => {
		const gamma = float('gamma', 1.0507010221481323);
		const slope = gamma * float('alpha', 1.6732631921768188);
		return [above(g, x, 0, g.scale(gamma, dy), g.mul(dy, g.add(y, g.scalar(slope, y.dtype))))];
	},
	PRelu: ({ x, second: slope, dy, g }) => [
		above(g, x, 0, dy, g.mul(dy, slope)),
		g.sumTo(slope.shape, above(g, x, 0, g.scalar(0, dy.dtype), g.mul(dy, x))),
	],
	ThresholdedRelu: ({ x, dy, g, float }) => [above(g, x, float('alpha', 1), dy, g.scalar(0, dy.dtype))],
	HardSigmoid: ({ y, dy, g, float }) => {
		const zero = g.scalar(0, y.dtype);
		const inside = g.scale(float('alpha', 0.2), dy);
		return [above(g, y, 0, choose(g, compare(g, 'Less', y, g.scalar(1, y.dtype)), inside, zero), zero)];
	},
	// the input keeps its gradient on the bounds, as in PyTorch; a bound takes it where it replaces the input, the upper one winning
	Clip: ({ inputs, x, dy, g }) => {
		const [, low, high] = inputs;
		const zero = g.scalar(0, dy.dtype);
		const raised = low ? g.op('Max', [x, low]) : x;
		const over = high ? compare(g, 'Greater', raised, high) : null;
		const kept = over ? choose(g, over, zero, dy) : dy;
		const under = low ? compare(g, 'Less', x, low) : null;
		return [
			under ? choose(g, under, zero, kept) : kept,
			under ? g.sumTo([], choose(g, under, kept, zero)) : null,
			over ? g.sumTo([], choose(g, over, dy, zero)) : null,
		];
	},
	Max: extreme,
	Min: extreme,
	Sum: ({ inputs, dy, g }) => inputs.map((x) => g.sumTo((x as Value).shape, dy)),
	Mean: ({ inputs, dy, g }) => inputs.map((x) => g.sumTo((x as Value).shape, g.scale(1 / inputs.length, dy))),
	// integers take no gradient and hand none on
	Cast: ({ x, y, dy, g }) => [[x, y].every((value) => isFloat(value) || isHalf(value)) ? likeType(g, dy, x) : null],
	// clip(1e30·y, 0, 1) is the step function of y ≥ 0, and three times as fast as comparing
	Relu: ({ y, dy, g }) => [g.mul(dy, g.op('HardSigmoid', [y], { alpha: float(1e30), beta: float(0) }))],
	Add: ({ x: a, second: b, dy, g }) => [g.sumTo(a.shape, dy), g.sumTo(b.shape, dy)],
	Sub: ({ x: a, second: b, dy, g, needs }) => [g.sumTo(a.shape, dy), needs[1] ? g.neg(g.sumTo(b.shape, dy)) : null],
	Mul: (context) => {
		const { x: a, second: b, dy, g, needs } = context;
		const gelu = geluGradient(context);
		if (gelu !== null) return [gelu, null];
		return [needs[0] ? g.sumTo(a.shape, g.mul(dy, b)) : null, needs[1] ? g.sumTo(b.shape, g.mul(dy, a)) : null];
	},
	Div: ({ x: a, second: b, y, dy, g, needs }) => {
		const da = g.div(dy, b);
		return [needs[0] ? g.sumTo(a.shape, da) : null, needs[1] ? g.neg(g.sumTo(b.shape, g.mul(da, y))) : null];
	},
	// y = a − b·⌊a/b⌋, the quotient towards 0, which is therefore (a − y)/b; integers take no gradient
	Mod: ({ x: a, second: b, y, dy, g, needs }) => {
		if (!isFloat(a)) return [null, null];
		return [needs[0] ? g.sumTo(a.shape, dy) : null, needs[1] ? g.sumTo(b.shape, g.mul(dy, g.div(g.sub(y, a), b))) : null];
	},
	Pow: ({ x: a, second: b, y, dy, g, needs }) => [
		needs[0] ? g.sumTo(a.shape, g.mul(dy, g.mul(b, g.op('Pow', [a, g.sub(b, g.scalar(1, b.dtype))], {}, { shape: y.shape })))) : null,
		needs[1] ? g.sumTo(b.shape, g.mul(dy, g.mul(y, g.op('Log', [a])))) : null,
	],
	Where: ({ x: condition, second: yes, third: no, dy, g }) => {
		const zero = g.scalar(0, dy.dtype);
		const pick = (where: Value, elsewhere: Value) => g.op('Where', [condition, where, elsewhere], {}, { dtype: dy.dtype, shape: dy.shape });
		return [null, g.sumTo(yes.shape, pick(dy, zero)), g.sumTo((no as Value).shape, pick(zero, dy))];
	},
};
