import { sizeOf } from '@steelyard/runtime';
import type { GraphBuilder } from '../builder.js';
import { positiveAxis, type Shape, type Value } from '../graph.js';
import type { NodeContext, Rule } from './rule.js';

const sizes = (value: Value): number[] => value.shape as number[];
const axisOf = (axis: number, value: Value): number => positiveAxis(axis, value.shape.length);
const compare = (g: GraphBuilder, op: string, a: Value, b: Value, shape: Shape = a.shape): Value =>
	g.op(op, [a, b], {}, { dtype: 'bool', shape });
const where = (g: GraphBuilder, condition: Value, a: Value, b: Value, shape: Shape = condition.shape): Value =>
	g.op('Where', [condition, a, b], {}, { dtype: a.dtype, shape });

/** 0, 1, … along one axis of several. */
function counted(g: GraphBuilder, dtype: 'float32' | 'int32', shape: readonly number[], axis: number): Value {
	const count = shape[axis] as number;
	return g.constant(
		dtype,
		shape.map((_, i) => (i === axis ? count : 1)),
		Array.from({ length: count }, (_, i) => i),
	);
}

/** The first place along an axis, or the last, where x is its maximum (`ReduceMax`) or minimum. */
function extreme(op: 'ReduceMax' | 'ReduceMin'): Rule {
	return ({ g, input, output, int }) => {
		const x = input(0);
		const axis = axisOf(int('axis', 0), x);
		const hit = compare(g, 'Equal', x, g.reduce(op, x, [axis]));
		const last = int('select_last_index', 0) === 1;
		const elsewhere = g.scalar(last ? -1 : (sizes(x)[axis] as number));
		const place = where(g, hit, counted(g, 'float32', sizes(x), axis), elsewhere);
		const found = g.reduce(last ? 'ReduceMax' : 'ReduceMin', place, [axis], int('keepdims', 1) === 1);
		return [{ ...g.cast(found, 'int32'), shape: output(0).shape }];
	};
}

/** The most parts that one Split may make: each is a buffer of its shader beside the input, and a device need not allow more than 8. */
const MOST_PARTS = 7;

/** The parts of x along an axis, by Splits of few parts each. */
function parts(g: GraphBuilder, x: Value, lengths: readonly number[], axis: number): Value[] {
	if (lengths.length <= MOST_PARTS) return g.split(x, lengths, axis);
	const each = Math.ceil(lengths.length / MOST_PARTS);
	const groups = Array.from({ length: Math.ceil(lengths.length / each) }, (_, i) => lengths.slice(i * each, (i + 1) * each));
	const wholes = g.split(
		x,
		groups.map((group) => group.reduce((sum, length) => sum + length, 0)),
		axis,
	);
	return wholes.flatMap((whole, i) => {
		const group = groups[i] as number[];
		return group.length === 1 ? [whole] : parts(g, whole, group, axis);
	});
}

/** 2π in two parts, of which the first has few enough bits that a small integer times it is exact. */
const TURN = [6.28125, 2 * Math.PI - 6.28125] as const;
/** 1/3!, 1/5!, … of the series of the sine: at π/2 the first one left out changes nothing in float32. */
const SINE = [-1 / 6, 1 / 120, -1 / 5040, 1 / 362880, -1 / 39916800];

/** sin x to rounding, where the device's own may be wrong by 2⁻¹¹: x is brought between −π and π, its size between 0 and π/2, and from there by the series. */
function sine(g: GraphBuilder, x: Value): Value {
	const shifted = (by: number, value: Value): Value => g.add(value, g.scalar(by));
	const turns = g.op('Floor', [shifted(0.5, g.scale(1 / (2 * Math.PI), x))]);
	const within = TURN.reduce((value, part) => g.sub(value, g.scale(part, turns)), x);
	const size = g.sub(g.scalar(Math.PI / 2), g.op('Abs', [shifted(-Math.PI / 2, g.op('Abs', [within]))]));
	const square = g.mul(size, size);
	const series = SINE.toReversed().reduce<Value | null>(
		(sum, factor) => (sum === null ? g.scale(factor, square) : g.mul(square, shifted(factor, sum))),
		null,
	) as Value;
	const value = g.add(size, g.mul(size, series));
	return where(g, compare(g, 'Less', within, g.scalar(0)), g.neg(value), value);
}

/** a·x + y of the optimizers, which is a Gemm of a `[1, 1]`: two passes, each of as many threads as there are numbers. */
const axpy: Rule = ({ g, input, node, float, int }) => {
	if (node.inputs.length !== 3 || float('alpha', 1) !== 1 || float('beta', 1) !== 1 || int('transB', 0) === 1) return null;
	const [a, x, y] = [input(0), input(1), input(2)];
	return sizeOf(sizes(a)) === 1 && sizes(x)[0] === 1 && sizes(y).join() === sizes(x).join() ? [g.add(g.mul(a, x), y)] : null;
};

/** The remainder that has the sign of the divisor, of integers, or with `fmod` that of the dividend. */
const remainder: Rule = ({ g, input, output, int }) => {
	const [x, y] = [input(0), input(1)];
	const { dtype, shape } = output(0);
	const zero = g.scalar(0, dtype);
	const quotient = g.div(x, y);
	const cut =
		dtype === 'int32' ? quotient : where(g, compare(g, 'Less', quotient, zero), g.op('Ceil', [quotient]), g.op('Floor', [quotient]));
	const rest = g.sub(x, g.mul(cut, y));
	if (int('fmod', 0) === 1) return [rest];
	const isOther = different(g, compare(g, 'Less', rest, zero), compare(g, 'Less', y, zero), shape);
	const isLess = g.op('And', [isOther, g.op('Not', [compare(g, 'Equal', rest, zero)])], {}, { shape });
	return [where(g, isLess, g.add(rest, y), rest, shape)];
};

/** An operator that moves elements and has no kernel for bool: the same on 0 and 1. */
const asNumbers: Rule = ({ g, input, output, kept, node }) => {
	if (output(0).dtype !== 'bool') return null;
	const data = node.op === 'Concat' ? node.inputs.map((_, i) => i) : [0];
	const numbers = kept(Object.fromEntries(data.map((i) => [i, g.cast(input(i), 'float32')])), 'float32');
	return numbers.map((value) => g.cast(value, 'bool'));
};

/** a ∨ b as ¬(¬a ∧ ¬b). */
const either = (g: GraphBuilder, a: Value, b: Value, shape: Shape): Value =>
	g.op('Not', [g.op('And', [g.op('Not', [a]), g.op('Not', [b])], {}, { shape })]);

/** a ∨ b, but not both. */
const different = (g: GraphBuilder, a: Value, b: Value, shape: Shape): Value =>
	g.op('Not', [compare(g, 'Equal', g.cast(a, 'float32'), g.cast(b, 'float32'), shape)]);

const folded =
	(factor: (count: number) => number): Rule =>
	({ g, input, node }) => {
		const sum = node.inputs.map((_, i) => input(i)).reduce((all, value) => g.add(all, value));
		const by = factor(node.inputs.length);
		return [by === 1 ? sum : g.scale(by, sum)];
	};

const logSoftmax: Rule = ({ g, input, int }) => {
	const x = input(0);
	const axis = axisOf(int('axis', -1), x);
	const shifted = g.sub(x, g.reduce('ReduceMax', x, [axis]));
	return [g.sub(shifted, g.op('Log', [g.reduceSum(g.exp(shifted), [axis])]))];
};

/** An index below 0 counts from the end; one that is out of range is nowhere hot. */
const oneHot: Rule = ({ g, input, constant, output, int }) => {
	const values = constant(2);
	if (values === null) return null;
	const { dtype, shape } = output(0);
	const axis = axisOf(int('axis', -1), output(0));
	const index = g.reshape(
		input(0),
		sizes(output(0)).map((size, i) => (i === axis ? 1 : size)),
	);
	const whole = index.dtype === 'float32' ? g.cast(index, 'int32') : index;
	const count = sizes(output(0))[axis] as number;
	const fromStart = g.add(whole, g.scale(count, g.cast(compare(g, 'Less', whole, g.scalar(0, 'int32')), 'int32')));
	const hot = g.cast(compare(g, 'Equal', fromStart, counted(g, 'int32', sizes(output(0)), axis), shape), dtype);
	const [off, on] = values as [number, number];
	const scaled = on - off === 1 ? hot : g.scale(on - off, hot);
	return [off === 0 ? scaled : g.add(scaled, g.scalar(off, dtype))];
};

/** To the nearest integer; from halfway to the even one. */
const round: Rule = ({ g, input }) => {
	const x = input(0);
	const nearest = g.op('Floor', [g.add(x, g.scalar(0.5))]);
	const isHalfway = compare(g, 'Equal', g.sub(x, g.op('Floor', [x])), g.scalar(0.5));
	return [where(g, isHalfway, g.scale(2, g.op('Floor', [g.scale(0.5, nearest)])), nearest)];
};

/** The indices of TopK are int64: what they are as int32 is looked up, since there is no Cast from int64. */
const topK: Rule = ({ g, input, output, node, int, constant }) => {
	const x = input(0);
	const axis = axisOf(int('axis', -1), x);
	const [values, index] = [0, 1].map((i) => g.fresh(`TopK.${i}`, i === 0 ? x.dtype : 'int64', output(0).shape)) as [Value, Value];
	const count = constant(1);
	if (count === null) return null;
	const { largest, sorted } = { largest: int('largest', 1), sorted: int('sorted', 1) };
	g.node('TopK', [x, g.ints(count)], [values, index], { axis, largest, sorted });
	const numbers = counted(g, 'int32', [sizes(x)[axis] as number], 0);
	const narrow = node.outputs[1] ? g.op('Gather', [numbers, index], { axis: 0 }, { shape: output(0).shape }) : index;
	return [values, narrow];
};

const split: Rule = (context: NodeContext) => {
	const { g, input, output, node, int } = context;
	const x = input(0);
	const axis = axisOf(int('axis', 0), x);
	if (x.dtype === 'bool') return parts(g, g.cast(x, 'float32'), partLengths(context, axis), axis).map((part) => g.cast(part, 'bool'));
	return node.outputs.length <= MOST_PARTS
		? null
		: parts(g, x, partLengths(context, axis), axis).map((part, i) => ({ ...part, shape: output(i).shape }));
};
const partLengths = ({ output, node }: NodeContext, axis: number): number[] => node.outputs.map((_, i) => sizes(output(i))[axis] as number);

/** A Conv whose window is one element adds a wrong bias in the provider where there is one row: the bias is added behind it. */
const conv: Rule = ({ g, input, output, node }) => {
	const kernel = sizes(input(1)).slice(2);
	if (!node.inputs[2] || kernel.some((size) => size !== 1)) return null;
	const channels = sizes(input(1))[0] as number;
	const product = g.op('Conv', [input(0), input(1)], node.attributes, { shape: output(0).shape });
	return [g.add(product, g.reshape(input(2), [channels, ...kernel]))];
};

/** A vector among the operands of MatMul is a matrix of one row or column: the provider is wrong for vectors. */
const matMul: Rule = ({ g, input, output }) => {
	const [a, b] = [input(0), input(1)];
	if (a.shape.length > 1 && b.shape.length > 1) return null;
	const rows = a.shape.length === 1 ? g.reshape(a, [1, ...a.shape]) : a;
	const columns = b.shape.length === 1 ? g.reshape(b, [...b.shape, 1]) : b;
	return [g.reshape(g.matMul(rows, columns), output(0).shape)];
};

/** In training form: by the mean and the variance of the batch (Ioffe and Szegedy 2015), with the running statistics moved towards them. */
const batchNormalization: Rule = ({ g, input, int, float, node }) => {
	if (int('training_mode', 0) !== 1) return null;
	const x = input(0);
	const across = sizes(x).flatMap((_, axis) => (axis === 1 ? [] : [axis]));
	const channels = sizes(x)[1] as number;
	const perChannel = (value: Value): Value =>
		g.reshape(value, [
			channels,
			...sizes(x)
				.slice(2)
				.map(() => 1),
		]);
	const mean = g.reduce('ReduceMean', x, across);
	const centred = g.sub(x, mean);
	const variance = g.reduce('ReduceMean', g.mul(centred, centred), across);
	const deviation = g.op('Sqrt', [g.add(variance, g.scalar(float('epsilon', 1e-5)))]);
	const y = g.add(g.mul(g.div(centred, deviation), perChannel(input(1))), perChannel(input(2)));
	const momentum = float('momentum', 0.9);
	const statistics = [mean, variance].map((found, i) =>
		g.add(g.scale(momentum, input(3 + i)), g.scale(1 - momentum, g.reshape(found, [channels]))),
	);
	return [y, ...statistics].slice(0, node.outputs.length);
};

/** Numbers of the rows that each index of GatherND or ScatterND names: those of a matrix whose rows are what one index reads. */
function rowNumbers(g: GraphBuilder, index: Value, of: Value): { rows: Value; count: number; matrix: [number, number] } {
	const depth = sizes(index).at(-1) as number;
	const lengths = sizes(of).slice(0, depth);
	const strides = lengths.map((_, axis) => sizeOf(lengths.slice(axis + 1)));
	const isBelow = g.cast(compare(g, 'Less', index, g.scalar(0, 'int32')), 'int32');
	const fromStart = g.add(index, g.mul(isBelow, g.constant('int32', [depth], lengths)));
	const parts = g.mul(fromStart, g.constant('int32', [depth], strides));
	const count = sizeOf(sizes(index)) / depth;
	const rows = g.reshape(g.reduceSum(g.reshape(parts, [count, depth]), [1], false), [count]);
	return { rows, count, matrix: [sizeOf(lengths), sizeOf(sizes(of).slice(depth))] };
}

/** GatherND by computed indices, of which there is no form with int32. */
const gatherND: Rule = ({ g, input, output, constant, int }) => {
	if (constant(1) !== null || int('batch_dims', 0) !== 0) return null;
	const { rows, count, matrix } = rowNumbers(g, input(1), input(0));
	const found = g.op('Gather', [g.reshape(input(0), matrix), rows], { axis: 0 }, { shape: [count, matrix[1]] });
	return [g.reshape(found, output(0).shape)];
};
const scatterND: Rule = ({ g, input, output, constant, text }) => {
	if (constant(1) !== null) return null;
	const { rows, count, matrix } = rowNumbers(g, input(1), input(0));
	const places = g.expand(g.reshape(rows, [count, 1]), [count, matrix[1]]);
	const operands = [g.reshape(input(0), matrix), places, g.reshape(input(2), [count, matrix[1]])];
	const scattered = g.op('ScatterElements', operands, { axis: 0, reduction: text('reduction', 'none') }, { shape: matrix });
	return [g.reshape(scattered, output(0).shape)];
};

/** MaxPool that also says where each maximum lies: the first place of its window that has it, numbered through the whole input. */
const maxPool: Rule = ({ g, input, output, node, ints, text, int }) => {
	if (!node.outputs[1]) return null;
	const x = input(0);
	const kernel = ints('kernel_shape') ?? [];
	const all = (name: string, value: number, count = kernel.length): readonly number[] => ints(name) ?? Array<number>(count).fill(value);
	if (text('auto_pad', 'NOTSET') !== 'NOTSET' || int('storage_order', 0) !== 0) return null;
	const y = g.op('MaxPool', [x], Object.fromEntries(Object.entries(node.attributes).filter(([name]) => name !== 'storage_order')), {
		shape: output(0).shape,
	});
	const [strides, dilations, pads] = [all('strides', 1), all('dilations', 1), all('pads', 0, 2 * kernel.length)];
	const [within, windows] = [sizes(x).slice(2), sizes(y).slice(2)];
	// how far the windows reach, which ceil_mode may put beyond the padding
	const reach = windows.map(
		(count, i) => (count - 1) * (strides[i] as number) + ((kernel[i] as number) - 1) * (dilations[i] as number) + 1,
	);
	const begin = pads.slice(0, kernel.length);
	const end = reach.map((length, i) => Math.max(0, length - (within[i] as number) - (begin[i] as number)));
	const isPadded = [...begin, ...end].some((size) => size > 0);
	const wide = within.map((length, i) => length + (begin[i] as number) + (end[i] as number));
	const lowest = g.scalar(-3.4028234663852886e38);
	const whole = isPadded
		? g.op('Pad', [x, g.ints([0, 0, ...begin, 0, 0, ...end]), lowest], {}, { shape: [...sizes(x).slice(0, 2), ...wide] })
		: x;
	const axes = kernel.map((_, i) => i + 2);
	const places = sizeOf(kernel);
	const firstOf = sizeOf(within);
	let found = g.constant('int32', [], [0]);
	for (let place = places - 1; place >= 0; place--) {
		const offset = kernel.map(
			(_, i) => (Math.floor(place / sizeOf(kernel.slice(i + 1))) % (kernel[i] as number)) * (dilations[i] as number),
		);
		const stop = offset.map((from, i) => from + ((windows[i] as number) - 1) * (strides[i] as number) + 1);
		const at = g.op('Slice', [whole, g.ints(offset), g.ints(stop), g.ints(axes), g.ints(strides)], {}, { shape: y.shape });
		const numbers = Array.from({ length: sizeOf(windows) }, (_, window) =>
			windows.reduce((sum, count, i) => {
				const position = Math.floor(window / sizeOf(windows.slice(i + 1))) % count;
				const inside = position * (strides[i] as number) + (offset[i] as number) - (begin[i] as number);
				return sum + inside * sizeOf(within.slice(i + 1));
			}, 0),
		);
		found = where(g, compare(g, 'Equal', at, y), g.constant('int32', windows, numbers), found, y.shape);
	}
	const channels = sizes(y).slice(0, 2);
	const bases = Array.from({ length: sizeOf(channels) }, (_, channel) => channel * firstOf);
	return [y, g.add(found, g.constant('int32', [...channels, ...kernel.map(() => 1)], bases))];
};

const moved = ['Concat', 'Expand', 'Gather', 'Slice', 'Squeeze', 'Tile', 'Transpose', 'Unsqueeze'];

/** By operator: what has no kernel on WebGPU in ONNX Runtime 1.29, or is not right to rounding there, as what has and is. */
export const rules: Readonly<Record<string, Rule>> = {
	...Object.fromEntries(moved.map((op) => [op, asNumbers])),
	ArgMax: extreme('ReduceMax'),
	ArgMin: extreme('ReduceMin'),
	BatchNormalization: batchNormalization,
	// max(x, 0) + min(0, α(exp(x/α) − 1))
	Celu: ({ g, input, float }) => {
		const alpha = float('alpha', 1);
		const below = g.scale(alpha, g.sub(g.exp(g.scale(1 / alpha, input(0))), g.scalar(1)));
		return [g.add(g.op('Relu', [input(0)]), g.op('Min', [below, g.scalar(0)]))];
	},
	Conv: conv,
	Cos: ({ g, input }) => [sine(g, g.add(input(0), g.scalar(Math.PI / 2)))],
	GatherND: gatherND,
	Gemm: axpy,
	LogSoftmax: logSoftmax,
	MatMul: matMul,
	MaxPool: maxPool,
	Mean: folded((count) => 1 / count),
	Mod: remainder,
	OneHot: oneHot,
	Or: ({ g, input, output }) => [either(g, input(0), input(1), output(0).shape)],
	Round: round,
	ScatterND: scatterND,
	// γ·elu(x, α), with α and γ of Klambauer et al. 2017 as ONNX gives them
	Selu: ({ g, input, float }) => {
		const [alpha, gamma] = [float('alpha', 1.67326319217681884765625), float('gamma', 1.05070102214813232421875)];
		return [g.scale(gamma, g.op('Elu', [input(0)], { alpha: { type: 'float', value: alpha } }))];
	},
	Sign: ({ g, input }) => {
		const [x, zero] = [input(0), g.scalar(0, input(0).dtype)];
		return [g.sub(g.cast(compare(g, 'Greater', x, zero), x.dtype), g.cast(compare(g, 'Less', x, zero), x.dtype))];
	},
	Sin: ({ g, input }) => [sine(g, input(0))],
	Softsign: ({ g, input }) => [g.div(input(0), g.add(g.op('Abs', [input(0)]), g.scalar(1)))],
	Split: split,
	Sum: folded(() => 1),
	TopK: topK,
	Xor: ({ g, input, output }) => [different(g, input(0), input(1), output(0).shape)],
};
