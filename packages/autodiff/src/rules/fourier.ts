import { type GraphBuilder, GraphError, positiveAxis, staticShape, type Value } from '@steelyard/onnx';
import { upTo } from '../axes.js';
import type { RuleContext, Rules } from '../rule.js';
import { scatterAlong } from './index-of-values.js';
import { cutOrPad } from './shape.js';

/** x, whose last axis holds real and imaginary part, transformed along another axis. */
const transform = (g: GraphBuilder, x: Value, axis: number, inverse: boolean): Value =>
	g.op('DFT', [x], { axis, inverse: inverse ? 1 : 0 });

/** x with `size` entries along an axis: cut off, or filled up with zeros, at the end. */
const resized = (g: GraphBuilder, x: Value, axis: number, size: number): Value =>
	cutOrPad(
		g,
		x,
		x.shape.map(() => 0),
		staticShape(x).map((length, i) => (i === axis ? size - length : 0)),
	);

/**
 * The gradient of the signal that was transformed along `axis` into y: as a matrix F, the forward transform of n entries has F* = n·F⁻¹ for its adjoint, and
 * the inverse one F/n. Half a spectrum has the gradient of a whole one whose other half is not used.
 */
function adjoint(g: GraphBuilder, dy: Value, axis: number, length: number, inverse: boolean): Value {
	const whole = resized(g, dy, axis, length);
	return g.scale(inverse ? 1 / length : length, transform(g, whole, axis, !inverse));
}

/** The gradient, whose last axis holds real and imaginary part, without the imaginary part where the signal has none. */
const partsOf = (g: GraphBuilder, gradient: Value, signal: Value): Value =>
	resized(g, gradient, gradient.shape.length - 1, signal.shape.at(-1) as number);

/**
 * The gradient of the half spectrum of which y is the inverse transform, a real signal of n entries: as x̂ₖ and its mirror image both enter y, the forward transform
 * of dy times 2/n, times 1/n for the entries that are their own mirror image (k = 0, and n/2 for an even n).
 */
function halfAdjoint(context: RuleContext, axis: number): Value {
	const { x, dy, g, node } = context;
	const n = staticShape(dy)[axis] as number;
	const bins = Math.floor(n / 2) + 1;
	if ((x.shape[axis] as number) < bins)
		throw new GraphError(
			'unsupported_model',
			`node "${node.name}" (DFT) makes ${n} numbers of ${x.shape[axis]} frequencies, expected at least ${bins}: the runtime does not fill these up with zeros`,
			node.name,
		);
	const counts = upTo(bins).map((k) => (k === 0 || 2 * k === n ? 1 : 2) / n);
	const shape = dy.shape.map((_, i) => (i === axis ? bins : 1));
	const half = g.op(
		'DFT',
		[dy],
		{ axis, onesided: 1 },
		{ shape: dy.shape.map((size, i) => (i === axis ? bins : i === dy.shape.length - 1 ? 2 : size)) },
	);
	return g.mul(half, g.constant(x.dtype, shape, counts));
}

export const fourier: Rules = {
	DFT: (context) => {
		const { x, dy, g, inputs, int, constant } = context;
		const axis = positiveAxis(int('axis', 1), x.shape.length);
		const length = inputs[1] ? (constant(1)[0] as number) : (staticShape(x)[axis] as number);
		const inverse = int('inverse', 0) === 1;
		const whole = inverse && int('onesided', 0) === 1 ? halfAdjoint(context, axis) : adjoint(g, dy, axis, length, inverse);
		const gradient = partsOf(g, whole, x);
		return [resized(g, gradient, axis, staticShape(x)[axis] as number), null];
	},
	// the DFT of every frame of the signal, times the window
	STFT: (context) => {
		const { x: signal, third: window, dy, g, inputs, needs, constant } = context;
		const [batch, frames] = staticShape(dy) as [number, number];
		const length = inputs[3] ? (constant(3)[0] as number) : (staticShape(window as Value)[0] as number);
		const step = constant(1)[0] as number;
		const places = g.constant(
			'int64',
			[frames, length],
			upTo(frames).flatMap((frame) => upTo(length).map((i) => frame * step + i)),
		);
		const parts = signal.shape[2] ?? 1;
		const framed = partsOf(g, adjoint(g, dy, 2, length, false), { ...signal, shape: [batch, frames, length, parts] });
		const factor = window && g.reshape(window, [length, 1]);
		const dframes = factor ? g.mul(framed, factor) : framed;
		const size = staticShape(signal)[1] as number;
		const dwindow = (): Value => {
			const read = g.op('Gather', [g.reshape(signal, [batch, size, parts]), places], { axis: 1 }, { shape: framed.shape });
			return g.reduceSum(g.mul(read, framed), [0, 1, 3], false);
		};
		return [
			needs[0] ? g.reshape(scatterAlong(g, size, 1, places, dframes), signal.shape) : null,
			null,
			window && needs[2] ? dwindow() : null,
			null,
		];
	},
};
