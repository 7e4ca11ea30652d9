import { type Attributes, float } from '@steelyard/onnx';
import type { Case } from '../gradient-check.js';

type Resizing = { from: number[]; to: number[]; scales?: number[]; sizes?: number[]; roi?: number[] };

/** ORT has a kernel of Resize for float32 alone. It is linear: central differences have no error but that of rounding. */
const resize = ({ from, to, scales, sizes, roi }: Resizing, attributes: Attributes): Case => ({
	shapes: [from],
	dtype: 'float32',
	build: (g, [x]) => {
		const numbers = (values: number[] | undefined) => (values ? g.constant('float32', [values.length], values) : null);
		const inputs = [x!, numbers(roi), numbers(scales), sizes ? g.ints(sizes) : null];
		return g.op('Resize', sizes ? inputs : inputs.slice(0, 3), attributes, { shape: to });
	},
});

const wide = { from: [1, 2, 5, 4], to: [1, 2, 8, 10], scales: [1, 1, 1.7, 2.5] };
const narrow = { from: [1, 2, 9, 8], to: [1, 2, 5, 3], scales: [1, 1, 0.6, 0.4] };
const sized = { from: [1, 2, 5, 6], to: [1, 2, 7, 4], sizes: [1, 2, 7, 4] };
const transformations = ['half_pixel', 'pytorch_half_pixel', 'asymmetric', 'align_corners', 'half_pixel_symmetric'];
const crop = { from: [1, 2, 5, 6], to: [1, 2, 4, 9], sizes: [1, 2, 4, 9], roi: [0, 0, 0.2, -0.3, 1, 1, 0.9, 1.1] };

const nearest: Case[] = [
	...transformations.flatMap((coordinate_transformation_mode) =>
		['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'].flatMap((nearest_mode) =>
			[wide, narrow, sized].map((size) => resize(size, { mode: 'nearest', coordinate_transformation_mode, nearest_mode })),
		),
	),
	resize(crop, { mode: 'nearest', coordinate_transformation_mode: 'tf_crop_and_resize', extrapolation_value: float(0) }),
	// every entry twice, and thrice
	resize(
		{ from: [1, 2, 3, 4], to: [1, 2, 6, 8], scales: [1, 1, 2, 2] },
		{ mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' },
	),
	resize({ from: [2, 3], to: [2, 9], scales: [1, 3] }, { mode: 'nearest' }),
	resize({ from: [2, 3, 4], to: [2, 3, 10], sizes: [10] }, { mode: 'nearest', axes: [-1] }),
	resize(
		{ from: [1, 1, 4, 6], to: [1, 1, 6, 9], sizes: [7, 9] },
		{ mode: 'nearest', axes: [2, 3], keep_aspect_ratio_policy: 'not_larger' },
	),
	resize(
		{ from: [1, 1, 4, 6], to: [1, 1, 7, 11], sizes: [7, 9] },
		{ mode: 'nearest', axes: [2, 3], keep_aspect_ratio_policy: 'not_smaller' },
	),
];

const smooth: Case[] = ['linear', 'cubic'].flatMap((mode) => [
	...transformations.flatMap((coordinate_transformation_mode) =>
		[wide, narrow, sized].map((size) => resize(size, { mode, coordinate_transformation_mode })),
	),
	...[wide, narrow, sized].flatMap((size) => [0, 1].map((exclude_outside) => resize(size, { mode, antialias: 1, exclude_outside }))),
	resize(crop, { mode, coordinate_transformation_mode: 'tf_crop_and_resize', extrapolation_value: float(0) }),
	resize({ ...sized, sizes: [4, 7], to: [1, 2, 7, 4] }, { mode, axes: [-1, -2] }),
]);

/** Points that stand off the lines where the interpolation has its kinks, moved by a hundredth of the second input. */
const gridSample = (reach: number, attributes: Attributes): Case => ({
	shapes: [
		[2, 3, 4, 5],
		[2, 2, 3, 2],
	],
	range: [-1, 1],
	dtype: 'float32',
	build: (g, [x, grid]) => {
		const points = Array.from({ length: 24 }, (_, i) => reach * (((i * 7 + 3) % 24) / 12 - 1) + 0.03);
		const at = g.add(g.constant('float32', [2, 2, 3, 2], points), g.scale(0.01, grid!));
		return g.op('GridSample', [x!, at], attributes, { shape: [2, 3, 2, 3] });
	},
});

const gridSamples: Case[] = ['bilinear', 'nearest', 'bicubic'].flatMap((mode) =>
	['zeros', 'border', 'reflection'].flatMap((padding_mode) =>
		[0, 1].flatMap((align_corners) => [0.7, 2.3].map((reach) => gridSample(reach, { mode, padding_mode, align_corners }))),
	),
);

export const resampleCases: Record<string, Case[]> = {
	Resize: [...nearest, ...smooth, resize({ from: [2, 3], to: [2, 3], scales: [1, 1] }, { mode: 'nearest' })],
	GridSample: gridSamples,
};
