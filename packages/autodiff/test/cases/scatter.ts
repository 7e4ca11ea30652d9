import type { Attributes } from '@steelyard/onnx';
import type { Case } from '../gradient-check.js';

/** x0 with x1 put to the places that the indices, of shape `of`, name. */
const scatter = (
	op: string,
	[from, updates]: [number[], number[]],
	of: number[],
	indices: number[],
	attributes: Attributes = {},
): Case => ({
	shapes: [from, updates],
	build: (g, [x, u]) => g.op(op, [x!, g.constant('int64', of, indices), u!], attributes),
});

const reductions = (use: (reduction: string) => Case): Case[] => ['mul', 'max', 'min'].map(use);

export const scatterCases: Record<string, Case[]> = {
	ScatterElements: [
		scatter(
			'ScatterElements',
			[
				[3, 3],
				[2, 2],
			],
			[2, 2],
			[0, 1, -1, 2],
		),
		scatter(
			'ScatterElements',
			[
				[2, 4],
				[2, 2],
			],
			[2, 2],
			[0, 3, 1, -2],
			{ axis: 1 },
		),
		scatter(
			'ScatterElements',
			[
				[2, 4],
				[2, 3],
			],
			[2, 3],
			[0, 0, 3, 1, 1, 1],
			{ axis: -1, reduction: 'add' },
		),
		...reductions((reduction) =>
			scatter(
				'ScatterElements',
				[
					[2, 4],
					[2, 3],
				],
				[2, 3],
				[0, 0, 3, 1, -3, 1],
				{ axis: -1, reduction },
			),
		),
		...reductions((reduction) =>
			scatter(
				'ScatterElements',
				[
					[3, 2],
					[4, 2],
				],
				[4, 2],
				[0, 2, 0, 2, 1, -1, 0, 1],
				{ reduction },
			),
		),
		// products with one zero and with two, among entries and updates
		{
			...scatter('ScatterElements', [[5], [6]], [6], [0, 0, 1, 2, 2, 3], { reduction: 'mul' }),
			data: [
				[0, 2, 3, 0, 0],
				[2, 3, 0, 0, 0, 0],
			],
		},
	],
	ScatterND: [
		scatter(
			'ScatterND',
			[
				[4, 3],
				[2, 3],
			],
			[2, 1],
			[3, 0],
		),
		scatter('ScatterND', [[4, 3], [2]], [2, 2], [3, 0, -4, 2]),
		scatter(
			'ScatterND',
			[
				[4, 3],
				[3, 3],
			],
			[3, 1],
			[1, 1, 0],
			{ reduction: 'add' },
		),
		scatter(
			'ScatterND',
			[
				[2, 3, 2],
				[2, 2, 2],
			],
			[2, 2, 2],
			[0, 1, 1, 0, 1, 2, 0, 0],
		),
		...reductions((reduction) =>
			scatter(
				'ScatterND',
				[
					[4, 3],
					[3, 3],
				],
				[3, 1],
				[1, -3, 0],
				{ reduction },
			),
		),
		...reductions((reduction) =>
			scatter(
				'ScatterND',
				[
					[3, 2],
					[2, 2],
				],
				[2, 2, 2],
				[0, 1, 2, 0, 0, -1, 2, 1],
				{ reduction },
			),
		),
	],
};
