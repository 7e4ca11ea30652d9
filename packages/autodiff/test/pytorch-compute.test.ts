import { type Attributes, float } from '@steelyard/onnx';
import { type Built, equalsPyTorch } from './pytorch-fixture.js';

const op =
	(name: string, attributes: Attributes = {}): Built =>
	(g, inputs, shape) =>
		g.op(name, inputs, attributes, { shape });
const reduced =
	(name: string, axis: number, keepdims = 0): Built =>
	(g, [x], shape) =>
		g.op(name, [x!, g.ints([axis])], { keepdims }, { shape });
const summed =
	(attributes: Attributes): Built =>
	(g, [x]) =>
		g.op('CumSum', [x!, g.constant('int64', [], [1])], attributes);

const built: Record<string, Built> = {
	sin: op('Sin'),
	cos: op('Cos'),
	tan: op('Tan'),
	atan: op('Atan'),
	sinh: op('Sinh'),
	cosh: op('Cosh'),
	erf: op('Erf'),
	reciprocal: op('Reciprocal'),
	softsign: op('Softsign'),
	'leaky relu': op('LeakyRelu', { alpha: float(0.2) }),
	elu: op('Elu', { alpha: float(1.5) }),
	selu: op('Selu'),
	celu: op('Celu', { alpha: float(1.5) }),
	'hard sigmoid': op('HardSigmoid', { alpha: float(1 / 6), beta: float(0.5) }),
	'hard swish': op('HardSwish'),
	mish: op('Mish'),
	clip: (g, [x]) => g.op('Clip', [x!, g.scalar(-0.5, x!.dtype), g.scalar(0.5, x!.dtype)]),
	prelu: op('PRelu'),
	max: op('Max'),
	min: op('Min'),
	mean: op('Mean'),
	'reduce l1': reduced('ReduceL1', 1),
	'reduce l2': reduced('ReduceL2', -1),
	'reduce log sum exp': reduced('ReduceLogSumExp', 1),
	'reduce sum square': reduced('ReduceSumSquare', 0, 1),
	'reduce max': reduced('ReduceMax', 1),
	'reduce min': reduced('ReduceMin', 0),
	cumsum: summed({}),
	'reverse exclusive cumsum': summed({ exclusive: 1, reverse: 1 }),
	conv: op('Conv', { strides: [2, 1], pads: [1, 0, 1, 0], dilations: [1, 2], group: 2 }),
	'conv 1d': op('Conv', { pads: [1, 1], group: 3 }),
	'conv transpose': op('ConvTranspose', { strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 1], group: 2 }),
	'average pool': op('AveragePool', { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
	'average pool with padding': op('AveragePool', { kernel_shape: [2, 2], strides: [2, 2], pads: [1, 1, 1, 1], count_include_pad: 1 }),
	'max pool': op('MaxPool', { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
	'global average pool': op('GlobalAveragePool'),
	'global max pool': op('GlobalMaxPool'),
	'lp pool': op('LpPool', { kernel_shape: [2, 2], strides: [2, 2] }),
	'layer norm': op('LayerNormalization'),
	'batch norm': (g, [x, scale, bias], shape) => {
		const running = (value: number) => g.constant(x!.dtype, [3], [value, value, value]);
		const outputs = [shape, [3], [3]].map((of, i) => ({ name: `normalised.${i}`, dtype: x!.dtype, shape: of }));
		g.node('BatchNormalization', [x!, scale!, bias!, running(0), running(1)], outputs, { training_mode: 1 });
		return outputs[0]!;
	},
	'instance norm': op('InstanceNormalization'),
	'lp norm': op('LpNormalization', { axis: 1 }),
};

const float32 = [
	...[
		'tan',
		'atan',
		'sinh',
		'cosh',
		'erf',
		'softsign',
		'leaky relu',
		'elu',
		'selu',
		'celu',
		'hard sigmoid',
		'hard swish',
		'mish',
		'prelu',
		'mean',
	],
	...['reduce l1', 'reduce l2', 'reduce log sum exp', 'reduce sum square'],
	...[
		'conv',
		'conv 1d',
		'conv transpose',
		'average pool',
		'average pool with padding',
		'global average pool',
		'global max pool',
		'lp pool',
		'instance norm',
	],
];

equalsPyTorch('gradients-compute.json', built, float32);
