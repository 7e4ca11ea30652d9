import type { GraphBuilder } from '../builder.js';
import { GraphError, positiveAxis, type Value } from '../graph.js';
import { type CompositeContext, type Expansions, meanOver, plus, sizes } from './composite.js';

/** The type in which statistics are taken: attribute stash_type = 1 asks for float32 at least. */
const stash = (x: Value, int: CompositeContext['int']): Value['dtype'] =>
	x.dtype === 'float16' && int('stash_type', 1) === 1 ? 'float32' : x.dtype;

const centre = (g: GraphBuilder, x: Value, axes: readonly number[]): Value => g.sub(x, meanOver(g, x, axes));
const meanSquare = (g: GraphBuilder, x: Value, axes: readonly number[]): Value => meanOver(g, g.mul(x, x), axes);

/** x/√(mean(x²) + ε)·scale over the axes from `axis` on (Zhang and Sennrich 2019), in the type `wide`; and 1/√(mean(x²) + ε). */
export function rootMeanSquare(g: GraphBuilder, x: Value, scale: Value, axis: number, epsilon: number, wide = x.dtype): [Value, Value] {
	const rank = x.shape.length;
	const first = positiveAxis(axis, rank);
	const axes = Array.from({ length: rank - first }, (_, i) => first + i);
	const wider = g.cast(x, wide);
	const root = g.op('Sqrt', [plus(g, meanSquare(g, wider, axes), epsilon)]);
	return [g.mul(g.cast(g.div(wider, root), x.dtype), scale), g.op('Reciprocal', [root])];
}

export const normalisations: Expansions = {
	RMSNormalization: ({ g, input, int, float }) => [
		rootMeanSquare(g, input(0), input(1), int('axis', -1), float('epsilon', 1e-5), stash(input(0), int))[0],
	],
	// what the runtime's optimizer writes, in the standard domain
	SimplifiedLayerNormalization: ({ g, input, int, float }) =>
		rootMeanSquare(g, input(0), input(1), int('axis', -1), float('epsilon', 1e-5), stash(input(0), int)),
	// (x − mean)/√(variance + ε) over the channels of a group and all positions; scale and bias by group in operator set 18, by channel from 21 on
	GroupNormalization: ({ g, input, int, float, node, opset }) => {
		const x = input(0);
		const [batch = 1, channels = 1, ...positions] = sizes(x);
		const groups = int('num_groups', 0);
		if (groups < 1 || channels % groups !== 0)
			throw new GraphError(
				'malformed_model',
				`node "${node.name}" (GroupNormalization) has ${groups} groups for ${channels} channels, expected a divisor of these`,
				node.name,
			);
		const inGroup = (channels / groups) * positions.reduce((product, size) => product * size, 1);
		const wide = g.reshape(g.cast(x, stash(x, int)), [batch, groups, inGroup]);
		const centred = centre(g, wide, [2]);
		const root = g.op('Sqrt', [plus(g, meanSquare(g, centred, [2]), float('epsilon', 1e-5))]);
		const standard = g.cast(g.div(centred, root), x.dtype);
		// Beside [batch, groups, channels of a group, positions]
		const parts = [batch, groups, channels / groups, positions.reduce((product, size) => product * size, 1)];
		const perGroup = opset < 21;
		const beside = (value: Value): Value => g.reshape(value, perGroup ? [1, groups, 1, 1] : [1, groups, channels / groups, 1]);
		return [g.reshape(g.add(g.mul(g.reshape(standard, parts), beside(input(1))), beside(input(2))), sizes(x))];
	},
	// (x − mean)/(√variance + 1e-9)
	MeanVarianceNormalization: ({ g, input, ints }) => {
		const x = input(0);
		const axes = (ints('axes') ?? [0, 2, 3]).map((axis) => positiveAxis(axis, x.shape.length));
		const centred = centre(g, x, axes);
		return [g.div(centred, plus(g, g.op('Sqrt', [meanSquare(g, centred, axes)]), 1e-9))];
	},
};
