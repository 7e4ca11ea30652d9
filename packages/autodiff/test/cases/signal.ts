import { type Attributes, float, type GraphBuilder, type Value } from '@steelyard/onnx';
import type { Case } from '../gradient-check.js';

const scalar = (g: GraphBuilder, value: number): Value => g.constant('int64', [], [value]);

const dft = (from: number[], to: number[], attributes: Attributes, length: number | null = null): Case => ({
	shapes: [from],
	build: (g, [x]) => g.op('DFT', length === null ? [x!] : [x!, scalar(g, length)], attributes, { shape: to }),
});

const stft = (shapes: number[][], to: number[], step: number, length: number | null, attributes: Attributes = {}): Case => ({
	shapes,
	build: (g, [signal, window]) =>
		g.op('STFT', [signal!, scalar(g, step), window ?? null, ...(length === null ? [] : [scalar(g, length)])], attributes, { shape: to }),
});

const col2Im = (from: number[], image: number[], block: number[], to: number[], attributes: Attributes = {}): Case => ({
	shapes: [from],
	dtype: 'float32',
	build: (g, [x]) => g.op('Col2Im', [x!, g.ints(image), g.ints(block)], attributes, { shape: to }),
});

const lrn = (shape: number[], attributes: Attributes): Case => ({
	shapes: [shape],
	dtype: 'float32',
	build: (g, [x]) => g.op('LRN', [x!], attributes),
});

const reversed = (attributes: Attributes, lengths: number[], shape: number[]): Case => ({
	shapes: [shape],
	build: (g, [x]) => g.op('ReverseSequence', [x!, g.ints(lengths)], attributes),
});

const globalLpPool = (range: [number, number], attributes: Attributes = {}): Case => ({
	shapes: [[2, 3, 4, 2]],
	dtype: 'float32',
	range,
	build: (g, [x]) => g.op('GlobalLpPool', [x!], attributes, { shape: [2, 3, 1, 1] }),
});

const det = (shape: number[], dtype: 'float32' | 'float64' = 'float32'): Case => ({
	shapes: [shape],
	dtype,
	build: (g, [x]) => g.op('Det', [x!], {}, { shape: shape.slice(0, -2) }),
});

export const signalCases: Record<string, Case[]> = {
	DFT: [
		dft([2, 5, 1], [2, 5, 2], {}),
		dft([2, 5, 2], [2, 5, 2], { inverse: 1 }),
		dft([2, 6, 1], [2, 4, 2], { onesided: 1 }),
		dft([2, 5, 1], [2, 3, 2], { onesided: 1 }),
		dft([1, 3, 4, 2], [1, 3, 4, 2], { axis: 2 }),
		dft([1, 4, 3, 2], [1, 4, 3, 2], { axis: -2, inverse: 1 }),
		dft([2, 5, 1], [2, 8, 2], {}, 8),
		dft([2, 5, 2], [2, 3, 2], { inverse: 1 }, 3),
		dft([2, 5, 1], [2, 5, 2], { onesided: 1 }, 8),
		dft([2, 5, 2], [2, 8, 1], { inverse: 1, onesided: 1 }),
		dft([2, 5, 2], [2, 9, 1], { inverse: 1, onesided: 1 }, 9),
		dft([2, 5, 2], [2, 6, 1], { inverse: 1, onesided: 1 }, 6),
		dft([2, 4, 3, 2], [2, 7, 3, 1], { axis: 1, inverse: 1, onesided: 1 }, 7),
	],
	STFT: [
		stft([[2, 10, 1], [4]], [2, 4, 3, 2], 2, null),
		stft([[2, 9, 1], [4]], [2, 2, 4, 2], 3, 4, { onesided: 0 }),
		stft([[1, 8, 1]], [1, 3, 3, 2], 2, 4),
	],
	Col2Im: [
		col2Im([1, 4, 6], [3, 4], [2, 2], [1, 1, 3, 4]),
		col2Im([2, 12, 6], [5, 4], [2, 2], [2, 3, 5, 4], { strides: [2, 1], pads: [0, 0, 0, 0] }),
		col2Im([1, 8, 12], [4, 4], [2, 2], [1, 2, 4, 4], { dilations: [2, 1], pads: [1, 0, 1, 0] }),
		col2Im([1, 6, 3], [5], [3], [1, 2, 5]),
	],
	LRN: [
		lrn([2, 5, 3, 1], { size: 3 }),
		lrn([2, 4, 2, 3], { size: 3, alpha: float(0.5), beta: float(1.5), bias: float(2) }),
		lrn([1, 3, 2, 2], { size: 5, alpha: float(1) }),
	],
	ReverseSequence: [reversed({}, [3, 1, 2], [4, 3, 2]), reversed({ batch_axis: 0, time_axis: 1 }, [4, 2], [2, 4])],
	OneHot: [
		{
			shapes: [[2]],
			dtype: 'float32',
			build: (g, [values]) =>
				g.op(
					'OneHot',
					[g.constant('int64', [2, 2], [0, -1, 3, 7]), scalar(g, 4), values!],
					{ axis: 1 },
					{ dtype: 'float32', shape: [2, 4, 2] },
				),
		},
		{
			shapes: [[2]],
			dtype: 'float32',
			build: (g, [values]) => g.op('OneHot', [g.ints([1, 0, 1]), scalar(g, 2), values!], {}, { dtype: 'float32', shape: [3, 2] }),
		},
	],
	Compress: (
		[
			[[5], [1, 0, 0, 1, 1], { axis: 0 }, [3]],
			[[2, 4], [0, 1, 1], { axis: -1 }, [2, 2]],
			[[2, 3], [1, 0, 0, 1, 1], {}, [3]],
		] as [number[], number[], Attributes, number[]][]
	).map(([from, kept, attributes, to]) => ({
		shapes: [from],
		canonical: false,
		build: (g, [x]) => g.op('Compress', [x!, g.constant('bool', [kept.length], kept)], attributes, { shape: to }),
	})),
	MaxUnpool: [
		{
			shapes: [[1, 2, 2, 2]],
			dtype: 'float32',
			build: (g, [x]) =>
				g.op(
					'MaxUnpool',
					[x!, g.constant('int64', [1, 2, 2, 2], [0, 3, 9, 14, 17, 22, 24, 31])],
					{ kernel_shape: [2, 2], strides: [2, 2] },
					{ shape: [1, 2, 4, 4] },
				),
		},
		{
			shapes: [[1, 1, 2, 2]],
			dtype: 'float32',
			canonical: false,
			build: (g, [x]) =>
				g.op(
					'MaxUnpool',
					[x!, g.constant('int64', [1, 1, 2, 2], [5, 7, 13, 15]), g.ints([1, 1, 5, 5])],
					{ kernel_shape: [2, 2], strides: [2, 2] },
					{ shape: [1, 1, 5, 5] },
				),
		},
	],
	GlobalLpPool: [globalLpPool([0.2, 2]), globalLpPool([-2, -0.2], { p: 3 }), globalLpPool([0.2, 2], { p: 1 })],
	Det: [det([3, 3]), det([2, 4, 4]), det([1, 1]), { ...det([3, 3]), data: [[1, 2, 3, 2, 4, 6, 1, 0, 1]] }],
};
