import { type Attributes, float, type GraphBuilder, type Value } from '@steelyard/onnx';
import type { DType } from '@steelyard/runtime';
import { type Built, equalsPyTorch } from './pytorch-fixture.js';

const op =
	(name: string, attributes: Attributes = {}): Built =>
	(g, inputs, shape) =>
		g.op(name, inputs, attributes, { shape });

const resize =
	(mode: string, attributes: Attributes = {}): Built =>
	(g, [x], shape) =>
		g.op('Resize', [x!, null, null, g.ints(shape)], { mode, ...attributes }, { shape });
// PyTorch calls this nearest; its half-pixel form is "nearest-exact"
const nearest = resize('nearest', { coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' });

/** Points beyond the image are given as they are; PyTorch's `sample` has the same. */
const sample = (attributes: Attributes): Built => op('GridSample', attributes);

const scatter =
	(reduction: string): Built =>
	(g, [x, u]) =>
		g.op('ScatterElements', [x!, g.constant('int64', [2, 3], [0, 0, 3, 1, 3, 1]), u!], { axis: 1, reduction });

const quantised = (g: GraphBuilder, x: Value, scale: Value, zero: Value, type: DType): Value =>
	g.op('DequantizeLinear', [g.op('QuantizeLinear', [x, scale, zero], {}, { dtype: type }), scale, zero], {}, { dtype: x.dtype });

const scalar = (g: GraphBuilder, value: number) => g.constant('int64', [], [value]);
const product: Built = (g, [x], shape) => g.op('ReduceProd', [x!, g.ints([1])], { keepdims: 0 }, { shape });

const built: Record<string, Built> = {
	nearest,
	'nearest, narrow': nearest,
	linear: resize('linear'),
	'linear by corners': resize('linear', { coordinate_transformation_mode: 'align_corners' }),
	'linear, narrow': resize('linear'),
	'linear, antialias': resize('linear', { antialias: 1, exclude_outside: 1 }),
	cubic: resize('cubic'),
	'cubic by corners': resize('cubic', { coordinate_transformation_mode: 'align_corners' }),
	sample: sample({}),
	'sample by corners': sample({ align_corners: 1 }),
	'sample border': sample({ padding_mode: 'border' }),
	'sample reflection': sample({ padding_mode: 'reflection' }),
	'sample reflection by corners': sample({ padding_mode: 'reflection', align_corners: 1 }),
	'sample nearest': sample({ mode: 'nearest' }),
	'sample cubic': sample({ mode: 'bicubic' }),
	asinh: op('Asinh'),
	acosh: (g, [x]) => g.op('Acosh', [g.add(g.mul(x!, x!), g.scalar(1.5, x!.dtype))]),
	atanh: (g, [x]) => g.op('Atanh', [g.scale(0.9, g.op('Tanh', [x!]))]),
	remainder: op('Mod', { fmod: 1 }),
	product,
	'product with zeros': (g, [x], shape) => product(g, [g.mul(x!, g.constant(x!.dtype, [3, 3], [1, 1, 1, 0, 1, 1, 0, 1, 0]))], shape),
	determinant: op('Det'),
	'scatter mul': scatter('mul'),
	'scatter max': scatter('max'),
	'scatter min': scatter('min'),
	quantise: (g, [x]) => quantised(g, x!, g.scalar(0.01), g.constant('uint8', [], [100]), 'uint8'),
	'quantise by channel': (g, [x]) =>
		quantised(g, x!, g.constant('float32', [3], [0.01, 0.02, 0.005]), g.constant('int8', [3], [0, 3, -5]), 'int8'),
	'local response': op('LRN', { size: 3, alpha: float(0.5), beta: float(0.75), bias: float(2) }),
	fold: (g, [x], shape) => g.op('Col2Im', [x!, g.ints([4, 4]), g.ints([2, 2])], { dilations: [2, 1], pads: [1, 0, 1, 0] }, { shape }),
	fourier: op('DFT'),
	'inverse fourier': op('DFT', { inverse: 1 }),
	'half fourier': op('DFT', { onesided: 1 }),
	'inverse half fourier': op('DFT', { inverse: 1, onesided: 1 }),
	'inverse half fourier, odd': (g, [x], shape) => g.op('DFT', [x!, scalar(g, 9)], { inverse: 1, onesided: 1 }, { shape }),
	'short fourier': (g, [x], shape) => g.op('STFT', [x!, scalar(g, 2), g.constant(x!.dtype, [4], [0.1, 0.85, 0.85, 0.1])], {}, { shape }),
	'batch norm statistics': (g, [x]) => {
		const numbers = (value: number) => g.constant(x!.dtype, [3], [value, value, value]);
		const outputs = [[4, 3, 2], [3], [3]].map((shape, i) => ({ name: `normalised.${i}`, dtype: x!.dtype, shape }));
		g.node('BatchNormalization', [x!, numbers(1), numbers(0), numbers(0), numbers(1)], outputs, { training_mode: 1 });
		return g.concat(outputs.slice(1), 0);
	},
};

const float64 = [
	'remainder',
	'scatter mul',
	'scatter max',
	'scatter min',
	'fourier',
	'inverse fourier',
	'half fourier',
	'inverse half fourier',
	'inverse half fourier, odd',
	'short fourier',
	'batch norm statistics',
];

equalsPyTorch(
	'gradients-signal.json',
	built,
	Object.keys(built).filter((name) => !float64.includes(name)),
);
