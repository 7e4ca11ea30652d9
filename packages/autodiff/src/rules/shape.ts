import { type Dim, type GraphBuilder, GraphError, positiveAxis, staticShape, type Value } from '@steelyard/onnx';
import { product, upTo } from '../axes.js';
import type { RuleContext, Rules } from '../rule.js';
import { scatterAlong } from './index-of-values.js';

/** Zeros before and after each axis; where a number is negative, as many entries are cut off. */
export function cutOrPad(g: GraphBuilder, x: Value, before: readonly number[], after: readonly number[]): Value {
	if ([...before, ...after].every((count) => count === 0)) return x;
	const padded = staticShape(x).map((size, axis) => size + (before[axis] as number) + (after[axis] as number));
	return g.op('Pad', [x, g.ints([...before, ...after])], {}, { shape: padded });
}

/** x in parts along an axis that are as long as `parts`, whose sizes may be known only when they run. */
function splitLike(g: GraphBuilder, x: Value, parts: readonly Value[], axis: number): Value[] {
	const dims = parts.map(({ shape }) => shape[axis] as Dim);
	if (dims.every((dim) => typeof dim === 'number')) return g.split(x, dims, axis);
	const sizeOf = (part: Value): Value => g.op('Shape', [part], { start: axis, end: axis + 1 }, { dtype: 'int64', shape: [1] });
	return g.splitBy(x, g.concat(parts.map(sizeOf), 0), dims, axis);
}

/** x in reverse order along an axis. */
const flip = (g: GraphBuilder, x: Value, axis: number): Value =>
	g.op('Slice', [x, g.ints([-1]), g.ints([-(staticShape(x)[axis] as number) - 1]), g.ints([axis]), g.ints([-1])]);

/** `step` − 1 zeros after each entry along an axis. */
function spread(g: GraphBuilder, x: Value, axis: number, step: number): Value {
	const sizes = staticShape(x);
	const split = [product(sizes.slice(0, axis + 1)), 1, product(sizes.slice(axis + 1))];
	const spaced = cutOrPad(g, g.reshape(x, split), [0, 0, 0], [0, step - 1, 0]);
	return g.reshape(
		spaced,
		sizes.map((size, i) => (i === axis ? size * step : size)),
	);
}

/** Pads of a Pad node per axis of its input. */
function padsOf({ x, inputs, constant }: RuleContext): { before: number[]; after: number[] } {
	const rank = x.shape.length;
	const pads = constant(1);
	const axes = inputs[3] ? constant(3).map((axis) => positiveAxis(axis, rank)) : x.shape.map((_, axis) => axis);
	const at = (axis: number, from: number): number => (axes.includes(axis) ? (pads[from + axes.indexOf(axis)] as number) : 0);
	return { before: x.shape.map((_, axis) => at(axis, 0)), after: x.shape.map((_, axis) => at(axis, axes.length)) };
}

/** Which of the entries 0 … size − 1 stands at a place before, among or behind them, by the `mode` of a Pad. */
const repeated: Readonly<Record<string, (at: number, size: number) => number>> = {
	edge: (at, size) => Math.min(Math.max(at, 0), size - 1),
	reflect: (at, size) => {
		const period = Math.max(1, 2 * (size - 1));
		const phase = modulo(at, period);
		return Math.min(phase, period - phase);
	},
	wrap: (at, size) => modulo(at, size),
};

const modulo = (x: number, by: number): number => ((x % by) + by) % by;

export const shape: Rules = {
	Reshape: ({ x, dy, g }) => [g.reshape(dy, x.shape), null],
	Flatten: ({ x, dy, g }) => [g.reshape(dy, x.shape)],
	Squeeze: ({ x, dy, g }) => [g.reshape(dy, x.shape), null],
	Unsqueeze: ({ x, dy, g }) => [g.reshape(dy, x.shape), null],
	Expand: ({ x, dy, g }) => [g.sumTo(x.shape, dy), null],
	Transpose: ({ x, dy, g, ints }) => {
		const perm = ints('perm') ?? x.shape.map((_, axis) => x.shape.length - 1 - axis);
		return [
			g.transpose(
				dy,
				perm.map((_, axis) => perm.indexOf(axis)),
			),
		];
	},
	Concat: ({ inputs, dy, g, int }) => {
		const axis = positiveAxis(int('axis', 0), dy.shape.length);
		return inputs.length === 1 ? [dy] : splitLike(g, dy, inputs as Value[], axis);
	},
	Split: ({ x, outputs, dys, g, int }) => {
		const axis = positiveAxis(int('axis', 0), x.shape.length);
		const parts = outputs.map((output, i) => dys[i] ?? g.expand(g.scalar(0, x.dtype), staticShape(output as Value)));
		return [g.op('Concat', parts, { axis }, { shape: x.shape }), null];
	},

	// each entry goes back to its place: backwards for a negative step, with gaps for a step over 1, and zeros around
	Slice: ({ x, y, dy, g, inputs, constant }) => {
		const sizes = staticShape(x);
		if (staticShape(y).includes(0)) return [null];
		const starts = constant(1);
		const axes = inputs[3] ? constant(3).map((axis) => positiveAxis(axis, sizes.length)) : starts.map((_, i) => i);
		const steps = inputs[4] ? constant(4) : starts.map(() => 1);
		const before = sizes.map(() => 0);
		let placed = dy;
		axes.forEach((axis, i) => {
			const size = sizes[axis] as number;
			const step = steps[i] as number;
			const start = Math.min(Math.max(positiveAxis(starts[i] as number, size), 0), size - 1);
			before[axis] = step > 0 ? start : start + step * ((staticShape(y)[axis] as number) - 1);
			if (step < 0) placed = flip(g, placed, axis);
			if (Math.abs(step) > 1) placed = spread(g, placed, axis, Math.abs(step));
		});
		const after = staticShape(placed).map((size, axis) => (sizes[axis] as number) - size - (before[axis] as number));
		return [cutOrPad(g, placed, before, after)];
	},

	Pad: (context) => {
		const { x, third: filling, dy, g, node, needs } = context;
		const { before, after } = padsOf(context);
		const how = context.text('mode', 'constant');
		if (how === 'constant') {
			const inside = cutOrPad(
				g,
				dy,
				before.map((count) => -count),
				after.map((count) => -count),
			);
			return [inside, null, filling !== null && needs[2] ? g.reshape(g.sub(g.sumAll(dy), g.sumAll(inside)), filling.shape) : null];
		}
		if (!Object.hasOwn(repeated, how))
			throw new GraphError(
				'unsupported_model',
				`node "${node.name}" (Pad) has the mode "${how}", expected constant, ${Object.keys(repeated).join(', ')}`,
				node.name,
			);
		return [
			staticShape(x).reduce((gradient, size, axis) => {
				const [low, high] = [before[axis] as number, after[axis] as number];
				const entries = (): number[] => upTo(size + low + high).map((i) => repeated[how]!(i - low, size));
				if (low === 0 && high === 0) return gradient;
				return scatterAlong(g, size, axis, g.ints(entries()), gradient);
			}, dy),
		];
	},

	// the sum over the copies of each axis
	Tile: ({ x, dy, g, constant }) => {
		const repeats = constant(1);
		if (repeats.includes(0)) return [null];
		const copies = staticShape(x).flatMap((size, axis) => [repeats[axis] as number, size]);
		const axes = repeats.flatMap((times, axis) => (times > 1 ? [2 * axis] : []));
		return [axes.length === 0 ? dy : g.reshape(g.reduceSum(g.reshape(dy, copies), axes), x.shape), null];
	},

	Trilu: ({ node, second: diagonal, dy, g, int }) => [
		g.op('Trilu', node.inputs[1] ? [dy, diagonal] : [dy], { upper: int('upper', 1) }),
		null,
	],

	SpaceToDepth: ({ x, dy, g, int }) => [g.op('DepthToSpace', [dy], { blocksize: int('blocksize', 1) }, { shape: x.shape })],
	DepthToSpace: (context) => {
		const { x, dy, g, int } = context;
		const size = int('blocksize', 1);
		if (context.text('mode', 'DCR') === 'DCR') return [g.op('SpaceToDepth', [dy], { blocksize: size }, { shape: x.shape })];
		const [batch, depth, height, width] = staticShape(x) as [number, number, number, number];
		// CRD: depth is (channel, row, column) of a block
		const blocks = g.reshape(dy, [batch, depth / size ** 2, height, size, width, size]);
		return [g.reshape(g.transpose(blocks, [0, 1, 3, 5, 2, 4]), x.shape)];
	},
};
