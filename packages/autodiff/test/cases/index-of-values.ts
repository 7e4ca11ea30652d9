import type { Attributes, GraphBuilder, Value } from '@steelyard/onnx';
import type { Case } from '../gradient-check.js';

const ints = (g: GraphBuilder, shape: number[], values: number[], dtype: 'int32' | 'int64' = 'int64') => g.constant(dtype, shape, values);

/** One float input x0, inputs that are lists of integers (null: left out), and the shape of the output. */
const listed = (op: string, from: number[], lists: (number[] | null)[], to: number[], attributes: Attributes = {}): Case => ({
	shapes: [from],
	build: (g, [x]) => g.op(op, [x!, ...lists.map((list) => (list === null ? null : g.ints(list)))], attributes, { shape: to }),
});

const einsum = (equation: string, shapes: number[][], to: number[]): Case => ({
	shapes,
	build: (g, inputs) => g.op('Einsum', inputs, { equation }, { shape: to }),
});

const matMul = (shapes: number[][], to: number[]): Case => ({ shapes, build: (g, [a, b]) => g.op('MatMul', [a!, b!], {}, { shape: to }) });

const gather = (from: number[], indices: number[], of: number[], axis: number, to: number[], dtype: 'int32' | 'int64' = 'int64'): Case => ({
	shapes: [from],
	build: (g, [x]) => g.op('Gather', [x!, ints(g, of, indices, dtype)], { axis }, { shape: to }),
});

const topK = (from: number[], k: number, to: number[], attributes: Attributes): Case => ({
	shapes: [from],
	build: (g, [x]) => {
		// far apart, so that no small change alters the order
		const spread = g.add(
			x!,
			g.constant(
				'float64',
				from,
				Array.from({ length: from.reduce((a, b) => a * b) }, (_, i) => ((i * 7) % 12) * 10),
			),
		);
		const values: Value = { name: 'values', dtype: 'float64', shape: to };
		g.node('TopK', [spread, g.ints([k])], [values, { name: 'indices', dtype: 'int64', shape: to }], attributes);
		return g.mul(values, values);
	},
});

export const indexCases: Record<string, Case[]> = {
	Slice: [
		listed('Slice', [4, 5], [[1], [3]], [2, 5]),
		listed(
			'Slice',
			[4, 5],
			[
				[-3, 0],
				[-1, 99],
				[0, -1],
			],
			[2, 5],
		),
		listed('Slice', [3, 7], [[1], [6], [1], [2]], [3, 3]),
		listed('Slice', [3, 8], [[0], [8], [1], [3]], [3, 3]),
		listed('Slice', [3, 7], [[-1], [-99], [1], [-1]], [3, 7]),
		listed(
			'Slice',
			[5, 7],
			[
				[99, 5],
				[0, 0],
				[0, 1],
				[-3, -2],
			],
			[2, 3],
		),
	],
	Pad: [
		listed('Pad', [2, 3], [[1, 0, 2, 1]], [5, 4]),
		listed('Pad', [2, 3], [[0, -1, 2, 1]], [4, 3]),
		listed('Pad', [2, 3], [[2, 1], null, [-1]], [2, 6]),
		{
			shapes: [[2, 3], []],
			build: (g, [x, value]) => g.op('Pad', [x!, g.ints([1, 0, 0, 2]), value!], { mode: 'constant' }, { shape: [3, 5] }),
		},
		listed('Pad', [2, 4], [[1, 3, 0, 2]], [3, 9], { mode: 'edge' }),
		listed('Pad', [3, 4], [[1, 3, 0, 2]], [4, 9], { mode: 'reflect' }),
		// cut off on one side, filled up on the other
		listed('Pad', [3, 4], [[0, -1, 0, 2]], [3, 5], { mode: 'edge' }),
		listed('Pad', [3, 5], [[-1, 1, 0, -2]], [2, 4], { mode: 'reflect' }),
		listed('Pad', [3, 4], [[1, 0, 0, 2]], [4, 6], { mode: 'wrap' }),
	],
	Tile: [
		listed('Tile', [2, 3], [[2, 3]], [4, 9]),
		listed('Tile', [2, 1, 3], [[1, 4, 1]], [2, 4, 3]),
		listed('Tile', [2, 3], [[1, 1]], [2, 3]),
	],
	Trilu: [
		listed('Trilu', [3, 3], [], [3, 3]),
		{ shapes: [[2, 3, 4]], build: (g, [x]) => g.op('Trilu', [x!, g.constant('int64', [], [1])], { upper: 0 }) },
		{ shapes: [[3, 4]], build: (g, [x]) => g.op('Trilu', [x!, g.constant('int64', [], [-1])], { upper: 1 }) },
	],
	DepthToSpace: [
		listed('DepthToSpace', [2, 8, 2, 3], [], [2, 2, 4, 6], { blocksize: 2 }),
		listed('DepthToSpace', [2, 8, 2, 3], [], [2, 2, 4, 6], { blocksize: 2, mode: 'CRD' }),
	],
	SpaceToDepth: [listed('SpaceToDepth', [2, 2, 4, 6], [], [2, 8, 2, 3], { blocksize: 2 })],
	Gather: [
		gather([4, 3], [0, 2, 2, -1], [4], 0, [4, 3]),
		gather([2, 4, 3], [0, 3, 3, -4, 1, 0], [2, 3], -2, [2, 2, 3, 3]),
		gather([2, 3], [1], [], 1, [2]),
		gather([5], [4, 4], [1, 2], 0, [1, 2], 'int32'),
	],
	GatherElements: [
		{
			shapes: [[3, 3]],
			build: (g, [x]) => g.op('GatherElements', [x!, ints(g, [2, 3], [0, -1, 2, 0, 2, 2])], {}, { shape: [2, 3] }),
		},
		{
			shapes: [[2, 3]],
			build: (g, [x]) => g.op('GatherElements', [x!, ints(g, [2, 2], [0, 0, -1, 1], 'int32')], { axis: -1 }, { shape: [2, 2] }),
		},
	],
	GatherND: [
		{
			shapes: [[3, 4, 2]],
			build: (g, [x]) => g.op('GatherND', [x!, ints(g, [3, 2], [0, 1, -1, -4, 0, 1])], {}, { shape: [3, 2] }),
		},
		{ shapes: [[3, 2]], build: (g, [x]) => g.op('GatherND', [x!, ints(g, [2, 2], [0, 1, 2, -1])], {}, { shape: [2] }) },
		{
			shapes: [[2, 3, 4]],
			build: (g, [x]) => g.op('GatherND', [x!, ints(g, [2, 2, 1], [0, 0, 2, -2])], { batch_dims: 1 }, { shape: [2, 2, 4] }),
		},
		{
			shapes: [[2, 2, 3, 2]],
			build: (g, [x]) => g.op('GatherND', [x!, ints(g, [2, 2, 1], [0, 2, 1, -1])], { batch_dims: 2 }, { shape: [2, 2, 2] }),
		},
	],
	TopK: [topK([3, 4], 2, [3, 2], {}), topK([4, 3], 3, [3, 3], { axis: 0, largest: 0, sorted: 1 })],
	Einsum: [
		einsum(
			'ij,jk->ik',
			[
				[2, 3],
				[3, 4],
			],
			[2, 4],
		),
		einsum(
			'bhqd, bhkd -> bhqk',
			[
				[2, 2, 3, 2],
				[2, 2, 4, 2],
			],
			[2, 2, 3, 4],
		),
		einsum(
			'bij,jk',
			[
				[2, 2, 3],
				[3, 4],
			],
			[2, 2, 4],
		),
		einsum('i,j->ji', [[2], [3]], [3, 2]),
		einsum('ij,j->', [[2, 3], [3]], []),
		einsum('ij->ji', [[2, 3]], [3, 2]),
		einsum('ijk->j', [[2, 3, 2]], [3]),
		einsum('ij->', [[2, 3]], []),
		einsum('ii->i', [[3, 3]], [3]),
		einsum('iij->j', [[3, 3, 2]], [2]),
		einsum(
			'ij,ki->k',
			[
				[2, 3],
				[4, 2],
			],
			[4],
		),
		einsum(
			'ij,jk,kl->il',
			[
				[2, 3],
				[3, 2],
				[2, 4],
			],
			[2, 4],
		),
		einsum(
			'...ij,...jk->...ik',
			[
				[2, 1, 2, 3],
				[1, 4, 3, 2],
			],
			[2, 4, 2, 2],
		),
		einsum('...i,i->...', [[2, 2, 3], [3]], [2, 2]),
	],
	'MatMul of vectors and batches': [
		matMul(
			[
				[2, 3],
				[3, 4],
			],
			[2, 4],
		),
		matMul(
			[
				[2, 1, 2, 3],
				[4, 3, 2],
			],
			[2, 4, 2, 2],
		),
		matMul(
			[
				[2, 2, 3],
				[3, 4],
			],
			[2, 2, 4],
		),
		matMul(
			[
				[2, 3],
				[2, 3, 4],
			],
			[2, 2, 4],
		),
		matMul([[3], [3]], []),
		matMul([[3], [3, 2]], [2]),
		matMul([[2, 3], [3]], [2]),
		matMul([[3], [2, 3, 4]], [2, 4]),
		matMul([[2, 4, 3], [3]], [2, 4]),
	],
	'Split into equal parts': [
		{
			shapes: [[2, 5]],
			build: (g, [x]) => {
				const parts = [2, 2, 1].map((size, i): Value => ({ name: `part${i}`, dtype: 'float64', shape: [2, size] }));
				g.node('Split', [x!], parts, { axis: -1, num_outputs: 3 });
				return g.mul(parts[0]!, parts[2]!);
			},
		},
		{ shapes: [[2, 5]], build: (g, [x]) => g.mul(g.split(x!, [2, 2, 1], 1)[0]!, g.split(x!, [2, 2, 1], 1)[1]!) },
		{ shapes: [[2, 5]], build: (g, [x]) => g.split(x!, [2, 3], 1)[1]! },
	],
	'Flatten at each axis': [
		listed('Flatten', [2, 3, 2], [], [2, 6], { axis: 1 }),
		listed('Flatten', [2, 3, 2], [], [6, 2], { axis: -1 }),
		listed('Flatten', [2, 3], [], [1, 6], { axis: 0 }),
	],
	'Squeeze of listed axes': [
		listed('Squeeze', [2, 1, 3], [[1]], [2, 3]),
		listed('Squeeze', [1, 2, 1], [[-1, 0]], [2]),
		listed('Squeeze', [1, 2, 1], [], [2]),
	],
	'Unsqueeze of listed axes': [
		listed('Unsqueeze', [2, 3], [[1]], [2, 1, 3]),
		listed('Unsqueeze', [2, 3], [[-1, 0]], [1, 2, 3, 1]),
		listed('Unsqueeze', [], [[0]], [1]),
	],
};
