import { float, type GraphBuilder, type Value } from '@steelyard/onnx';
import type { Case } from '../gradient-check.js';

/** All outputs of a node of several, as one vector, so that the loss depends on each. */
function joined(
	g: GraphBuilder,
	op: string,
	inputs: readonly Value[],
	shapes: number[][],
	attributes: Parameters<GraphBuilder['op']>[2],
): Value {
	const outputs = shapes.map((shape, i) => ({ name: `${op}.${i}`, dtype: (inputs[0] as Value).dtype, shape }));
	g.node(op, inputs, outputs, attributes);
	return g.concat(
		outputs.map((output) => g.reshape(output, [output.shape.reduce((product, dim) => product * dim, 1)])),
		0,
	);
}

/** A window operator on inputs of `shapes`, of output `shape`; ORT has no float64 kernel of most. */
const windowed = (
	op: string,
	shapes: number[][],
	attributes: Parameters<GraphBuilder['op']>[2],
	shape: number[],
	more: Partial<Case> = {},
): Case => ({
	shapes,
	dtype: 'float32',
	range: [-1, 1],
	build: (g, inputs) => g.op(op, inputs, attributes, { shape }),
	...more,
});

/** Numbers far enough apart that no step of the check changes which one is greatest. */
const spaced = (g: GraphBuilder, x: Value): Value => {
	const shape = x.shape as number[];
	const count = shape.reduce((product, dim) => product * dim, 1);
	return g.add(
		x,
		g.constant(
			x.dtype,
			shape,
			Array.from({ length: count }, (_, i) => ((i * 7) % count) * 0.5),
		),
	);
};

const maxPool = (shape: number[], attributes: Parameters<GraphBuilder['op']>[2], to: number[]): Case => ({
	shapes: [shape],
	range: [-0.1, 0.1],
	build: (g, [x]) => g.op('MaxPool', [spaced(g, x!)], attributes, { shape: to }),
});

export const convolveCases: Record<string, Case[]> = {
	LayerNormalization: [
		{ shapes: [[2, 3, 4], [4], [4]], build: (g, inputs) => g.op('LayerNormalization', inputs) },
		{
			shapes: [
				[2, 3, 4],
				[3, 4],
			],
			build: (g, inputs) => g.op('LayerNormalization', inputs, { axis: -2, epsilon: float(0.1) }),
		},
		{ shapes: [[2, 3, 4], [3, 4], [4]], build: (g, inputs) => g.op('LayerNormalization', inputs, { axis: 1 }) },
		{
			shapes: [[2, 3, 4], [4], [4]],
			dtype: 'float32',
			build: (g, inputs) =>
				joined(
					g,
					'LayerNormalization',
					inputs,
					[
						[2, 3, 4],
						[2, 3, 1],
						[2, 3, 1],
					],
					{ epsilon: float(0.5) },
				),
		},
	],
	Conv: [
		windowed('Conv', [[2, 3, 7], [4, 3, 3], [4]], {}, [2, 4, 5]),
		windowed(
			'Conv',
			[
				[2, 4, 8],
				[6, 2, 3],
			],
			{ group: 2, strides: [2], pads: [2, 1], dilations: [2] },
			[2, 6, 4],
		),
		windowed('Conv', [[2, 3, 7, 6], [4, 3, 3, 2], [4]], { strides: [3, 2], pads: [1, 0, 0, 1] }, [2, 4, 2, 3]),
		windowed(
			'Conv',
			[
				[2, 3, 6, 5],
				[3, 1, 3, 3],
			],
			{ group: 3, auto_pad: 'SAME_UPPER', strides: [2, 2] },
			[2, 3, 3, 3],
		),
		windowed(
			'Conv',
			[
				[1, 2, 6, 5],
				[2, 2, 2, 2],
			],
			{ auto_pad: 'SAME_LOWER' },
			[1, 2, 6, 5],
		),
		windowed(
			'Conv',
			[
				[1, 2, 6, 5],
				[2, 2, 2, 3],
			],
			{ auto_pad: 'VALID', dilations: [3, 1], kernel_shape: [2, 3] },
			[1, 2, 3, 3],
		),
	],
	ConvTranspose: [
		windowed('ConvTranspose', [[2, 3, 5], [3, 4, 3], [4]], {}, [2, 4, 7]),
		windowed(
			'ConvTranspose',
			[
				[2, 4, 5],
				[4, 3, 3],
			],
			{ group: 2, strides: [3], pads: [1, 2], output_padding: [2] },
			[2, 6, 14],
		),
		windowed('ConvTranspose', [[1, 2, 3, 4], [2, 3, 3, 2], [3]], { strides: [2, 1], dilations: [1, 2], pads: [1, 0, 1, 1] }, [1, 3, 5, 5]),
		windowed(
			'ConvTranspose',
			[
				[1, 2, 3, 4],
				[2, 2, 3, 4],
			],
			{ strides: [2, 3], auto_pad: 'SAME_UPPER' },
			[1, 2, 6, 12],
		),
		windowed(
			'ConvTranspose',
			[
				[1, 2, 3, 4],
				[2, 2, 3, 4],
			],
			{ strides: [2, 3], auto_pad: 'SAME_LOWER' },
			[1, 2, 6, 12],
		),
		windowed(
			'ConvTranspose',
			[
				[1, 2, 3, 4],
				[2, 2, 3, 4],
			],
			{ strides: [2, 2], output_shape: [6, 9] },
			[1, 2, 6, 9],
		),
	],
	GlobalAveragePool: [
		windowed('GlobalAveragePool', [[2, 3, 4, 5]], {}, [2, 3, 1, 1]),
		windowed('GlobalAveragePool', [[2, 3, 4]], {}, [2, 3, 1]),
	],
	GlobalMaxPool: [
		{
			shapes: [[2, 3, 4, 2]],
			dtype: 'float32',
			range: [-0.1, 0.1],
			build: (g, [x]) => g.op('GlobalMaxPool', [spaced(g, x!)], {}, { shape: [2, 3, 1, 1] }),
		},
	],
	AveragePool: [
		windowed('AveragePool', [[2, 3, 7]], { kernel_shape: [3], strides: [2] }, [2, 3, 3]),
		windowed('AveragePool', [[2, 3, 7, 6]], { kernel_shape: [3, 2], strides: [2, 3], pads: [1, 0, 1, 1] }, [2, 3, 4, 2]),
		windowed('AveragePool', [[2, 3, 7, 6]], { kernel_shape: [3, 2], pads: [1, 0, 1, 1], count_include_pad: 1 }, [2, 3, 7, 6]),
		windowed('AveragePool', [[2, 3, 6, 7]], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }, [2, 3, 3, 3]),
		windowed('AveragePool', [[1, 2, 6, 5]], { kernel_shape: [3, 2], strides: [2, 2], auto_pad: 'SAME_UPPER' }, [1, 2, 3, 3]),
		windowed('AveragePool', [[1, 2, 6, 5]], { kernel_shape: [3, 2], strides: [2, 2], auto_pad: 'SAME_LOWER' }, [1, 2, 3, 3]),
		windowed('AveragePool', [[1, 2, 6]], { kernel_shape: [3], strides: [2], pads: [1, 1], ceil_mode: 1, count_include_pad: 1 }, [1, 2, 4]),
	],
	MaxPool: [
		maxPool([2, 3, 7], { kernel_shape: [3] }, [2, 3, 5]),
		maxPool([2, 3, 6, 5], { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 0, 1] }, [2, 3, 3, 5]),
		maxPool([1, 2, 7, 6], { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 }, [1, 2, 4, 3]),
		maxPool([1, 2, 7, 6], { kernel_shape: [2, 3], dilations: [3, 2], storage_order: 1 }, [1, 2, 4, 2]),
		maxPool([1, 2, 7, 6], { kernel_shape: [3, 3], strides: [2, 2], auto_pad: 'SAME_LOWER' }, [1, 2, 4, 3]),
		...[0, 1].map(
			(storage_order): Case => ({
				shapes: [[1, 2, 4, 6]],
				range: [-0.1, 0.1],
				build: (g, [x]) => {
					const outputs = (['float64', 'int64'] as const).map((dtype, i) => ({ name: `pooled.${i}`, dtype, shape: [1, 2, 3, 5] }));
					g.node('MaxPool', [spaced(g, x!)], outputs, { kernel_shape: [2, 2], storage_order });
					const some = g.op('GreaterOrEqual', [outputs[1]!, g.constant('int64', [], [0])], {}, { dtype: 'bool' });
					return g.op('Where', [some, outputs[0]!, g.scalar(0, 'float64')], {}, { dtype: 'float64', shape: [1, 2, 3, 5] });
				},
			}),
		),
	],
	LpPool: [
		windowed('LpPool', [[2, 3, 7, 6]], { kernel_shape: [3, 2], strides: [2, 2], pads: [1, 0, 1, 0] }, [2, 3, 4, 3], { range: [0.3, 1] }),
		windowed('LpPool', [[2, 3, 7]], { kernel_shape: [3], p: 3 }, [2, 3, 5], { range: [-1, -0.3] }),
		windowed('LpPool', [[2, 3, 7]], { kernel_shape: [2], p: 1, dilations: [2], auto_pad: 'VALID' }, [2, 3, 5], { range: [0.3, 1] }),
	],
	BatchNormalization: [
		...[1e-5, 0.1].map(
			(epsilon): Case => ({
				shapes: [[3, 2, 2, 2], [2], [2], [2], [2]],
				range: [0.2, 2],
				build: (g, inputs) => g.op('BatchNormalization', inputs, { epsilon: float(epsilon) }),
			}),
		),
		{ shapes: [[4, 3], [3], [3], [3], [3]], range: [0.2, 2], build: (g, inputs) => g.op('BatchNormalization', inputs) },
		{
			shapes: [[3, 2, 4], [2], [2], [2], [2]],
			build: (g, inputs) => {
				const outputs = [[3, 2, 4], [2], [2]].map((shape, i) => ({ name: `normalised.${i}`, dtype: 'float64' as const, shape }));
				g.node('BatchNormalization', inputs, outputs, { training_mode: 1, epsilon: float(0.1) });
				return outputs[0]!;
			},
		},
	],
	'BatchNormalization, its running statistics': [0.9, 0.3].map((momentum) => ({
		shapes: [[3, 2, 4], [2], [2], [2], [2]],
		range: [0.2, 2],
		build: (g, inputs) => {
			// not the inputs themselves: the runtime writes the new statistics over the old ones
			const values = inputs.map((input, i) => (i < 3 ? input : g.scale(1.5, input)));
			return joined(g, 'BatchNormalization', values, [[3, 2, 4], [2], [2]], { training_mode: 1, momentum: float(momentum) });
		},
	})),
	InstanceNormalization: [
		{ shapes: [[2, 3, 4], [3], [3]], dtype: 'float32', build: (g, inputs) => g.op('InstanceNormalization', inputs) },
		{
			shapes: [[2, 3, 3, 4], [3], [3]],
			dtype: 'float32',
			build: (g, inputs) => g.op('InstanceNormalization', inputs, { epsilon: float(0.2) }),
		},
	],
	LpNormalization: [
		{ shapes: [[2, 3, 4]], build: (g, [x]) => g.op('LpNormalization', [x!]) },
		{ shapes: [[2, 3, 4]], build: (g, [x]) => g.op('LpNormalization', [x!], { axis: 1, p: 2 }) },
		{ shapes: [[2, 3, 4]], range: [0.2, 2], build: (g, [x]) => g.op('LpNormalization', [x!], { axis: -2, p: 1 }) },
		{ shapes: [[2, 3]], range: [-2, -0.2], build: (g, [x]) => g.op('LpNormalization', [x!], { p: 1 }) },
	],
	Dropout: [
		{ shapes: [[2, 3]], build: (g, [x]) => g.op('Dropout', [x!, g.scalar(0.5, 'float64'), g.constant('bool', [], [0])]) },
		{ shapes: [[2, 3]], build: (g, [x]) => g.op('Dropout', [x!]) },
	],
};
