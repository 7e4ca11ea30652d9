import { encodeModel, float, GraphBuilder, OPSET, type Value } from '@steelyard/onnx';
import { counterRandom } from '@steelyard/random';
import { sizeOf, tensor } from '@steelyard/runtime';

export const CLASSES = 3;

/** A graph with the input `x` `[N, …shape]` and the output `y`, which the head makes of a `[N, width]`; its parameters are drawn. */
function graphOf(
	shape: readonly number[],
	body: (g: GraphBuilder, x: Value, parameter: Parameter) => { last: Value; width: number },
): Uint8Array {
	const g = new GraphBuilder();
	const random = counterRandom(1, 'graph');
	const parameter: Parameter = (name, of, centre = 0) =>
		g.initializer(
			name,
			tensor(
				'float32',
				of,
				Float32Array.from({ length: sizeOf(of) }, () => centre + (random.uniform() - 0.5) * 0.8),
			),
		);
	const { last, width } = body(g, g.input('x', 'float32', ['N', ...shape]), parameter);
	g.output('y', g.gemm(last, parameter('head.weight', [width, CLASSES]), parameter('head.bias', [CLASSES])));
	return encodeModel({ graph: g.build('network'), opset: OPSET });
}
type Parameter = (name: string, shape: readonly number[], centre?: number) => Value;

/** Convolution, batch normalisation, maximum pool, a convolution by one element, the mean of what is left. */
const convolutional = graphOf([2, 6, 6], (g, x, parameter) => {
	const window = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
	const first = g.op('Conv', [x, parameter('a.weight', [4, 2, 3, 3]), parameter('a.bias', [4])], window, { shape: ['N', 4, 6, 6] });
	const statistics = [
		parameter('norm.weight', [4], 1),
		parameter('norm.bias', [4]),
		parameter('norm.mean', [4]),
		parameter('norm.var', [4], 1),
	];
	const normal = g.op('BatchNormalization', [first, ...statistics], {}, { shape: ['N', 4, 6, 6] });
	const pool = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] };
	const pooled = g.op('MaxPool', [g.op('Relu', [normal])], pool, { shape: ['N', 4, 3, 3] });
	const wide = g.op(
		'Conv',
		[pooled, parameter('b.weight', [5, 4, 1, 1]), parameter('b.bias', [5])],
		{ kernel_shape: [1, 1] },
		{ shape: ['N', 5, 3, 3] },
	);
	const mean = g.op('GlobalAveragePool', [g.op('Selu', [wide])], {}, { shape: ['N', 5, 1, 1] });
	return { last: g.op('Flatten', [mean], {}, { shape: ['N', 5] }), width: 5 };
});

/** A GRU over the steps, of which the last state counts. */
const recurrent = graphOf([4, 3], (g, x, parameter) => {
	const steps = g.transpose(x, [1, 0, 2]);
	const weights = [parameter('gru.weight', [1, 12, 3]), parameter('gru.recurrence', [1, 12, 4]), parameter('gru.bias', [1, 24])];
	const [all, last] = [g.fresh('all', 'float32', [4, 1, 'N', 4]), g.fresh('last', 'float32', [1, 'N', 4])];
	g.node('GRU', [steps, ...weights], [all, last], { hidden_size: 4, linear_before_reset: 1 });
	return { last: g.op('Squeeze', [last, g.ints([0])], {}, { shape: ['N', 4] }), width: 4 };
});

/** A block of a transformer: attention of two heads and an MLP with GELU, each behind a LayerNormalization and with a residual. */
const transformer = graphOf([4, 6], (g, x, parameter) => {
	const normal = (value: Value, name: string): Value =>
		g.op('LayerNormalization', [value, parameter(`${name}.weight`, [6], 1), parameter(`${name}.bias`, [6])], {
			axis: -1,
			epsilon: float(1e-5),
		});
	const linear = (value: Value, name: string, from: number, to: number): Value =>
		g.add(g.matMul(value, parameter(`${name}.weight`, [from, to])), parameter(`${name}.bias`, [to]));
	const heads = (value: Value): Value =>
		g.transpose(g.op('Reshape', [value, g.ints([0, 4, 2, 3])], {}, { shape: ['N', 4, 2, 3] }), [0, 2, 1, 3]);
	const before = normal(x, 'norm1');
	const [query, key, value] = ['query', 'key', 'value'].map((name) => heads(linear(before, name, 6, 6))) as [Value, Value, Value];
	const scores = g.op('Softmax', [g.scale(3 ** -0.5, g.matMul(query, g.transpose(key, [0, 1, 3, 2])))], { axis: -1 });
	const mixed = g.transpose(g.matMul(scores, value), [0, 2, 1, 3]);
	const attended = g.add(x, linear(g.op('Reshape', [mixed, g.ints([0, 4, 6])], {}, { shape: ['N', 4, 6] }), 'out', 6, 6));
	const inner = linear(normal(attended, 'norm2'), 'up', 6, 12);
	const gelu = g.mul(g.scale(0.5, inner), g.add(g.op('Erf', [g.scale(Math.SQRT1_2, inner)]), g.scalar(1)));
	const tokens = g.add(attended, linear(gelu, 'down', 12, 6));
	return { last: g.op('ReduceMean', [tokens, g.ints([1])], { keepdims: 0 }, { shape: ['N', 6] }), width: 6 };
});

/** By name: a graph, and the shape of a row of `x`. */
export const graphs: Readonly<Record<string, { readonly bytes: Uint8Array; readonly shape: readonly number[] }>> = {
	'a convolutional net': { bytes: convolutional, shape: [2, 6, 6] },
	'a GRU': { bytes: recurrent, shape: [4, 3] },
	'a block of a transformer': { bytes: transformer, shape: [4, 6] },
};
