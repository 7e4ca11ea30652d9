import { type GraphBuilder, GraphError, positiveAxis, type Value } from '@steelyard/onnx';
import { choose, compare } from '../choose.js';
import { likeType } from '../float-types.js';
import type { RuleContext, Rules } from '../rule.js';

/** The smallest and the largest number of each type that values are quantised to. */
const ranges: Readonly<Record<string, readonly [number, number]>> = {
	uint8: [0, 255],
	int8: [-128, 127],
	uint16: [0, 65535],
	int16: [-32768, 32767],
};

/** A scale or zero point beside x: one number, or one for each entry of the node's axis. */
function besideX(g: GraphBuilder, { x, int }: RuleContext, value: Value): Value {
	if (value.shape.length === 0) return value;
	const axis = positiveAxis(int('axis', 1), x.shape.length);
	// a list of one number stands for that number
	return g.reshape(value, value.shape[0] === 1 ? [] : [value.shape[0] as number, ...x.shape.slice(axis + 1).map(() => 1)]);
}

/** The gradient of a scale from what each entry of x adds to it. */
const dscaleFrom = (g: GraphBuilder, scale: Value, beside: Value, each: Value): Value =>
	g.reshape(g.sumTo(beside.shape, each), scale.shape);

/**
 * Rounding as if it were not there (the straight-through estimator, Bengio et al. 2013): what quantisation-aware training needs. ONNX has no way to say
 * "detached", so that an exported x + (round(x) − x).detach() is right this way alone. The gradients of a scale that follow are those of learned step size
 * quantisation (Esser et al. 2020).
 */
export const quantize: Rules = {
	Round: ({ dy }) => [dy],
	// q = clip(round(x/scale) + zero point): dx = dq/scale where nothing was clipped
	QuantizeLinear: (context) => {
		const { node, x, second: scale, third: zeroPoint, y, dy, g, needs } = context;
		const range = ranges[y.dtype];
		if (range === undefined)
			throw new GraphError(
				'unsupported_model',
				`node "${node.name}" (QuantizeLinear) quantises to ${y.dtype}, expected ${Object.keys(ranges).join(', ')}`,
				node.name,
			);
		const step = besideX(g, context, scale);
		const rounded = g.op('Round', [g.div(x, step)]);
		const level = zeroPoint ? g.add(rounded, besideX(g, context, likeType(g, zeroPoint, x))) : rounded;
		const clipped = g.op('Clip', [level, g.scalar(range[0], x.dtype), g.scalar(range[1], x.dtype)]);
		const passed = choose(g, compare(g, 'Equal', level, clipped), likeType(g, dy, x), g.scalar(0, x.dtype));
		const dx = g.div(passed, step);
		return [dx, needs[1] ? g.neg(dscaleFrom(g, scale, step, g.div(g.mul(dx, x), step))) : null, null];
	},
	// y = (q − zero point)·scale
	DequantizeLinear: (context) => {
		const { x: q, second: scale, third: zeroPoint, dy, g, needs } = context;
		const step = besideX(g, context, scale);
		const level = (): Value => {
			const number = likeType(g, q, dy);
			return zeroPoint ? g.sub(number, besideX(g, context, likeType(g, zeroPoint, dy))) : number;
		};
		return [g.mul(dy, step), needs[1] ? dscaleFrom(g, scale, step, g.mul(dy, level())) : null, null];
	},
};

/** What one would not expect of a rule by the name of its operator. */
export const quantizeNotes: Readonly<Record<string, string>> = {
	Round: 'straight-through, as quantisation-aware training needs it: the gradient passes unchanged (the derivative is 0)',
	QuantizeLinear: 'straight-through: the gradient passes where the value lies within the range of the quantised type; the scale learns too',
	DequantizeLinear: 'straight-through, with QuantizeLinear before it; the scale learns too',
};
