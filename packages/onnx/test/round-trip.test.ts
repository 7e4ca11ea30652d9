import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSession, type NumberDType, type Tensor, tensor } from '@steelyard/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeModel, encodeModel, type Graph, type Model, OPSET, type Value } from '../src/index.js';

const x: Value = { name: 'x', dtype: 'float32', shape: ['batch', 3] };
const graphOf = (more: Partial<Graph> = {}): Graph => ({
	name: 'g',
	nodes: [{ name: 'n', op: 'Neg', inputs: ['x'], outputs: ['y'], attributes: {} }],
	inputs: [x],
	outputs: [{ ...x, name: 'y' }],
	initializers: new Map(),
	values: new Map(),
	...more,
});
const modelOf = (more: Partial<Graph> = {}): Model => ({ graph: graphOf(more), opset: OPSET, metadata: {} });
/** What comes back of a model, without what only a file says of itself. */
function roundTrip(model: Model): Model {
	const { graph, opset, metadata = {} } = decodeModel(encodeModel(model));
	return { graph, opset, metadata };
}

const samples: Record<NumberDType, number[]> = {
	float32: [1.5, -0, Number.NaN, Number.POSITIVE_INFINITY, 1e-45, 3.4028234663852886e38],
	float64: [1 / 3, -0, Number.NaN, Number.NEGATIVE_INFINITY, 5e-324, Number.MAX_VALUE],
	float16: [0, 0x3c00, 0x8000, 0x7e00, 0xfc00, 1],
	int8: [-128, 127, 0, 1, -1, 5],
	int16: [-32768, 32767, 0, 1, -1, 5],
	int32: [-2147483648, 2147483647, 0, 1, -1, 5],
	int64: [-(2 ** 60), 2 ** 60, 0, 1, -1, 5],
	uint8: [255, 0, 1, 2, 3, 4],
	uint16: [65535, 0, 1, 2, 3, 4],
	uint32: [4294967295, 0, 1, 2, 3, 4],
	uint64: [2 ** 60, 0, 1, 2, 3, 4],
	bool: [1, 0, 1, 1, 0, 0],
};

describe('a model that is encoded and decoded', () => {
	for (const [dtype, values] of Object.entries(samples) as Array<[NumberDType, number[]]>)
		it(`keeps initializers of ${dtype}, bit for bit: matrices, scalars and empty ones`, () => {
			const initializers = new Map<string, Tensor>([
				['matrix', tensor(dtype, [2, 3], values)],
				['scalar', tensor(dtype, [], values.slice(0, 1))],
				['empty', tensor(dtype, [0, 3], [])],
				['zero', tensor(dtype, [1], [0])],
			]);
			const model = modelOf({ initializers, inputs: [{ ...x, dtype }] });
			expect(roundTrip(model)).toEqual(model);
		});

	it('keeps attributes of every type', () => {
		const inner = graphOf({ name: 'inner', inputs: [], initializers: new Map([['c', tensor('float32', [1], [2])]]) });
		const attributes = {
			int: { type: 'int', value: -(2 ** 40) },
			float: { type: 'float', value: 0.5 },
			string: { type: 'string', value: 'größe' },
			none: { type: 'string', value: '' },
			tensor: { type: 'tensor', value: tensor('int64', [2], [1, -2]) },
			scalar: { type: 'tensor', value: tensor('float32', [], [-0]) },
			graph: { type: 'graph', value: inner },
			ints: { type: 'ints', value: [-1, 0, 2 ** 40] },
			noInts: { type: 'ints', value: [] },
			floats: { type: 'floats', value: [0.25, -1.5] },
			strings: { type: 'strings', value: ['a', '', 'ü'] },
		} as const;
		const model = modelOf({ nodes: [{ name: 'n', op: 'Neg', inputs: ['x'], outputs: ['y'], attributes }] });
		expect(roundTrip(model)).toEqual(model);
	});

	it('keeps a graph within a graph within a graph', () => {
		const nested = (depth: number): Graph =>
			graphOf({
				name: `depth ${depth}`,
				nodes: [
					{
						name: 'n',
						op: 'If',
						inputs: ['x'],
						outputs: ['y'],
						attributes: depth === 0 ? {} : { then_branch: { type: 'graph', value: nested(depth - 1) } },
					},
				],
			});
		const model: Model = { graph: nested(3), opset: OPSET, metadata: {} };
		expect(roundTrip(model)).toEqual(model);
	});

	it('keeps names of dimensions, scalars among inputs, left-out inputs, metadata and the operator set', () => {
		const model: Model = {
			opset: 17,
			metadata: { 'steelyard.modalities': '["a","b"]', empty: '', ü: 'ß' },
			graph: graphOf({
				inputs: [x, { name: 's', dtype: 'bool', shape: [] }, { name: 'z', dtype: 'int64', shape: [0, 'T', 2] }],
				nodes: [{ name: 'clip', op: 'Clip', inputs: ['x', '', 's'], outputs: ['y', '', 'more'], attributes: {} }],
			}),
		};
		expect(roundTrip(model)).toEqual(model);
	});

	it('is the same bytes each time', () => {
		const model = modelOf({ initializers: new Map([['w', tensor('float32', [2], [1, 2])]]) });
		expect(encodeModel(model)).toEqual(encodeModel(model));
		expect(encodeModel(roundTrip(model))).toEqual(encodeModel(model));
	});

	it('keeps any tensor of any shape', () => {
		const shape = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });
		fc.assert(
			fc.property(fc.constantFrom(...(Object.keys(samples) as NumberDType[])), shape, (dtype, dims) => {
				const size = dims.reduce((a, b) => a * b, 1);
				const value = tensor(
					dtype,
					dims,
					Array.from({ length: size }, (_, i) => samples[dtype][i % 6]!),
				);
				expect(roundTrip(modelOf({ initializers: new Map([['w', value]]) })).graph.initializers.get('w')).toEqual(value);
			}),
			{ seed: 1, numRuns: 100 },
		);
	});

	it('holds a view that begins inside its buffer', () => {
		const value = tensor('float32', [2], Float32Array.of(9, 1, 2, 9).subarray(1, 3));
		expect([...roundTrip(modelOf({ initializers: new Map([['w', value]]) })).graph.initializers.get('w')!.data]).toEqual([1, 2]);
	});

	it('keeps its own copies of tensors, aligned, when it is decoded from a file', async () => {
		const folder = await mkdtemp(join(tmpdir(), 'steelyard-onnx-'));
		try {
			const path = join(folder, 'm.onnx');
			const initializers = new Map<string, Tensor>([
				['a', tensor('uint8', [1], [7])],
				['b', tensor('float64', [3], [1, 2, 3])],
				['c', tensor('int64', [1], [-9])],
			]);
			await writeFile(path, encodeModel(modelOf({ initializers })));
			const file = await readFile(path);
			const { graph } = decodeModel(file);
			file.fill(0xff);
			expect(graph.initializers).toEqual(initializers);
			for (const { data } of graph.initializers.values()) {
				expect(data.buffer).not.toBe(file.buffer);
				expect(data.byteOffset % data.BYTES_PER_ELEMENT).toBe(0);
				expect(data.buffer.byteLength).toBe(data.byteLength); // nothing of the file is kept alive by it
			}
		} finally {
			await rm(folder, { recursive: true });
		}
	});

	it('is what ONNX Runtime runs', async () => {
		const nodes = [{ name: 'n', op: 'Add', inputs: ['x', 'w'], outputs: ['y'], attributes: {} }];
		const session = await createSession(
			encodeModel(modelOf({ nodes, initializers: new Map([['w', tensor('float32', [3], [10, 20, 30])]]) })),
		);
		const { y } = await session.run({ x: tensor('float32', [2, 3], [1, 2, 3, 4, 5, 6]) });
		await session.release();
		expect(y).toEqual(tensor('float32', [2, 3], [11, 22, 33, 14, 25, 36]));
	});
});
