import { float } from '@steelyard/onnx';
import type { Rules } from '../rule.js';

const never = () => [];

export const elementwise: Rules = {
	Identity: ({ dy }) => [dy],
	Neg: ({ dy, g }) => [g.neg(dy)],
	Exp: ({ y, dy, g }) => [g.mul(dy, y)],
	Log: ({ a, dy, g }) => [g.div(dy, a)],
	Sqrt: ({ y, dy, g }) => [g.div(g.scale(0.5, dy), y)],
	Abs: ({ a, dy, g }) => [g.mul(dy, g.op('Sign', [a]))],
	Tanh: ({ y, dy, g }) => [g.mul(dy, g.sub(g.scalar(1, y.dtype), g.mul(y, y)))],
	Sigmoid: ({ y, dy, g }) => [g.mul(dy, g.mul(y, g.sub(g.scalar(1, y.dtype), y)))],
	Softplus: ({ a, dy, g }) => [g.mul(dy, g.op('Sigmoid', [a]))],
	// clip(1e30·y, 0, 1) is the step function of y ≥ 0, and three times as fast as comparing
	Relu: ({ y, dy, g }) => [g.mul(dy, g.op('HardSigmoid', [y], { alpha: float(1e30), beta: float(0) }))],
	Add: ({ a, b, dy, g }) => [g.sumTo(a.shape, dy), g.sumTo(b.shape, dy)],
	Sub: ({ a, b, dy, g, needs }) => [g.sumTo(a.shape, dy), needs[1] ? g.neg(g.sumTo(b.shape, dy)) : null],
	Mul: ({ a, b, dy, g, needs }) => [needs[0] ? g.sumTo(a.shape, g.mul(dy, b)) : null, needs[1] ? g.sumTo(b.shape, g.mul(dy, a)) : null],
	Div: ({ a, b, y, dy, g, needs }) => {
		const da = g.div(dy, b);
		return [needs[0] ? g.sumTo(a.shape, da) : null, needs[1] ? g.neg(g.sumTo(b.shape, g.mul(da, y))) : null];
	},
	Pow: ({ a, b, y, dy, g, needs }) => [
		needs[0] ? g.sumTo(a.shape, g.mul(dy, g.mul(b, g.op('Pow', [a, g.sub(b, g.scalar(1, b.dtype))], {}, { shape: y.shape })))) : null,
		needs[1] ? g.sumTo(b.shape, g.mul(dy, g.mul(y, g.op('Log', [a])))) : null,
	],
	Where: ({ a, b, c, dy, g }) => {
		const zero = g.scalar(0, dy.dtype);
		const pick = (chosen: typeof dy, other: typeof dy) => g.op('Where', [a, chosen, other], {}, { dtype: dy.dtype, shape: dy.shape });
		return [null, g.sumTo(b.shape, pick(dy, zero)), g.sumTo((c as typeof b).shape, pick(zero, dy))];
	},
};

/** Operators whose outputs do not vary with their inputs, or only in steps. */
export const zeroGradient: Rules = Object.fromEntries(
	[
		'Equal',
		'Greater',
		'GreaterOrEqual',
		'Less',
		'LessOrEqual',
		'Not',
		'And',
		'Or',
		'Xor',
		'Sign',
		'Floor',
		'Ceil',
		'Shape',
		'ArgMax',
		'ArgMin',
		'ConstantOfShape',
		'IsNaN',
		'IsInf',
	].map((op) => [op, never]),
);
