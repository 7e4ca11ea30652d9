import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { type DType, tensor } from '@steelyard/runtime';
import {
	AttributeProto_AttributeType as A,
	type GraphProtoSchema,
	ModelProtoSchema,
	TensorProto_DataType as T,
	TensorProto_DataLocation,
	type TensorProtoSchema,
} from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { bodiesOf, decodeModel, GraphError, graphsWithin } from '../src/index.js';

type ModelInit = MessageInitShape<typeof ModelProtoSchema>;
type TensorInit = MessageInitShape<typeof TensorProtoSchema>;
type GraphInit = MessageInitShape<typeof GraphProtoSchema>;

const opsetImport = [{ domain: '', version: 18n }];
const bytesOf = (model: ModelInit): Uint8Array => toBinary(ModelProtoSchema, create(ModelProtoSchema, model));
const decoded = (graph: GraphInit, model: ModelInit = {}) =>
	decodeModel(bytesOf({ irVersion: 8n, opsetImport, ...model, graph } as ModelInit));
const info = (name: string, elemType: number, dims: Array<number | string> = []) => ({
	name,
	type: {
		value: {
			case: 'tensorType' as const,
			value: {
				elemType,
				shape: {
					dim: dims.map((d) => ({
						value: typeof d === 'number' ? { case: 'dimValue' as const, value: BigInt(d) } : { case: 'dimParam' as const, value: d },
					})),
				},
			},
		},
	},
});
/** Decoding must refuse it with this code, name this place, and say this. */
function expectRefusal(decode: () => unknown, code: string, where: string | null, words: RegExp): void {
	let error: unknown = null;
	try {
		decode();
	} catch (thrown) {
		error = thrown;
	}
	expect(error).toBeInstanceOf(GraphError);
	expect(error).toMatchObject({ code, where, message: expect.stringMatching(words) });
}
const withTensor = (t: TensorInit) => decoded({ initializer: [{ name: 'w', ...t }] }).graph.initializers.get('w');

describe('decoding reads', () => {
	const raw = (array: { buffer: ArrayBufferLike }) => new Uint8Array(array.buffer as ArrayBuffer);
	/** Where onnx.proto says that each type lies when it is not raw. */
	const fields: Array<[DType, T, number[], TensorInit, TensorInit]> = [
		['float32', T.FLOAT, [1.5, -2], { floatData: [1.5, -2] }, { rawData: raw(Float32Array.of(1.5, -2)) }],
		['float64', T.DOUBLE, [1 / 3, -2], { doubleData: [1 / 3, -2] }, { rawData: raw(Float64Array.of(1 / 3, -2)) }],
		['float16', T.FLOAT16, [1, -0], { int32Data: [0x3c00, 0x8000] }, { rawData: raw(Uint16Array.of(0x3c00, 0x8000)) }],
		['int8', T.INT8, [-3, 4], { int32Data: [-3, 4] }, { rawData: raw(Int8Array.of(-3, 4)) }],
		['int16', T.INT16, [-3, 400], { int32Data: [-3, 400] }, { rawData: raw(Int16Array.of(-3, 400)) }],
		['int32', T.INT32, [-3, 70000], { int32Data: [-3, 70000] }, { rawData: raw(Int32Array.of(-3, 70000)) }],
		['int64', T.INT64, [-3, 2 ** 40], { int64Data: [-3n, 2n ** 40n] }, { rawData: raw(BigInt64Array.of(-3n, 2n ** 40n)) }],
		['uint8', T.UINT8, [0, 255], { int32Data: [0, 255] }, { rawData: raw(Uint8Array.of(0, 255)) }],
		['uint16', T.UINT16, [0, 65535], { int32Data: [0, 65535] }, { rawData: raw(Uint16Array.of(0, 65535)) }],
		['uint32', T.UINT32, [1, 4294967295], { uint64Data: [1n, 4294967295n] }, { rawData: raw(Uint32Array.of(1, 4294967295)) }],
		['uint64', T.UINT64, [1, 2 ** 60], { uint64Data: [1n, 2n ** 60n] }, { rawData: raw(BigUint64Array.of(1n, 2n ** 60n)) }],
		['bool', T.BOOL, [1, 0], { int32Data: [1, 0] }, { rawData: Uint8Array.of(1, 0) }],
	];
	for (const [dtype, dataType, values, typed, bytes] of fields) {
		it(`${dtype} from its typed field`, () => expect(withTensor({ dataType, dims: [2n], ...typed })).toEqual(tensor(dtype, [2], values)));
		it(`${dtype} from raw bytes`, () => expect(withTensor({ dataType, dims: [2n], ...bytes })).toEqual(tensor(dtype, [2], values)));
	}

	it('a scalar and an empty tensor', () => {
		expect(withTensor({ dataType: T.FLOAT, floatData: [2] })).toEqual(tensor('float32', [], [2]));
		expect(withTensor({ dataType: T.FLOAT, dims: [0n, 3n] })).toEqual(tensor('float32', [0, 3], []));
	});

	it('initializers that old exporters list among the inputs as constants, not as inputs', () => {
		const { graph } = decoded({
			input: [info('x', T.FLOAT, [1]), info('w', T.FLOAT, [1])],
			initializer: [{ name: 'w', dataType: T.FLOAT, dims: [1n], floatData: [1] }],
		});
		expect(graph.inputs.map(({ name }) => name)).toEqual(['x']);
		expect([...graph.initializers.keys()]).toEqual(['w']);
	});

	it('dimensions without size and name as symbolic, each of its own name', () => {
		const shape = {
			dim: [
				{ value: { case: undefined } },
				{ value: { case: 'dimParam' as const, value: '' } },
				{ value: { case: 'dimValue' as const, value: 2n } },
			],
		};
		const { graph } = decoded({ input: [{ name: 'x', type: { value: { case: 'tensorType', value: { elemType: T.FLOAT, shape } } } }] });
		const [a, b, c] = graph.inputs[0]!.shape;
		expect([typeof a, typeof b, c]).toEqual(['string', 'string', 2]);
		expect(a).not.toBe(b);
	});

	it('types of inner values, metadata, the operator set by either name of its domain', () => {
		const model = decoded(
			{ valueInfo: [info('h', T.INT64, [2, 'T'])] },
			{
				opsetImport: [
					{ domain: 'com.microsoft', version: 1n },
					{ domain: 'ai.onnx', version: 15n },
				],
				metadataProps: [{ key: 'k', value: 'v' }],
			},
		);
		expect(model.graph.values.get('h')).toEqual({ name: 'h', dtype: 'int64', shape: [2, 'T'] });
		expect(model.opset).toBe(15);
		expect(model.metadata).toEqual({ k: 'v' });
	});

	it('nodes in any order, also in bodies and in functions, in an order in which they can run', () => {
		const op = (opType: string, input: string[], output: string[], domain = '') => ({ opType, domain, input, output });
		const shuffled = [op('Exp', ['b'], ['y']), op('Sign', ['x'], ['s']), op('Neg', ['a'], ['b']), op('Tanh', ['x'], ['a'])];
		const body = { node: shuffled, output: [info('y', T.FLOAT)] };
		const main = [
			op('Abs', ['f'], ['g']),
			{ ...op('If', ['c'], ['f']), attribute: [{ name: 'then_branch', type: A.GRAPH, g: body }] },
			op('Outer', ['x'], ['c'], 'local'),
		];
		const functions = [{ name: 'Outer', domain: 'local', input: ['x'], output: ['y'], node: shuffled }];
		const { graph } = decoded({ node: main }, { functions: functions as never });
		const order = ['Tanh', 'Neg', 'Exp'];
		expect(graph.nodes.map((node) => node.op)).toEqual([...order, 'If', 'Abs', 'Sign']);
		expect(bodiesOf(graph.nodes[3]!)[0]![1].nodes.map((node) => node.op)).toEqual([...order, 'Sign']);
	});

	it('operators of other domains with their domain, also in bodies', () => {
		const node = [{ name: 'gelu', opType: 'FastGelu', domain: 'com.microsoft', input: ['x'], output: ['y'] }];
		const body = { type: A.GRAPH, name: 'body', g: { node } };
		const { graph } = decoded({ node: [...node, { name: 'loop', opType: 'Loop', domain: 'ai.onnx', attribute: [body] }] });
		expect([...graphsWithin(graph)].map(({ nodes }) => nodes.map(({ op }) => op))).toEqual([
			['com.microsoft.FastGelu', 'Loop'],
			['com.microsoft.FastGelu'],
		]);
	});

	it('the outputs that are tensors of numbers, where labels and maps stand beside them', () => {
		const map = { name: 'probabilities', type: { value: { case: 'sequenceType' as const, value: {} } } };
		const { graph } = decoded({ output: [info('label', T.STRING, [2]), info('y', T.FLOAT, [2]), map] });
		expect(graph.outputs.map(({ name }) => name)).toEqual(['y']);
		expectRefusal(() => decoded({ output: [map] }), 'unsupported_model', 'probabilities', /sequenceType, expected a tensor/);
	});

	it('nodes without a name as nodes with one', () => {
		const { graph } = decoded({ node: [{ opType: 'Neg', input: ['x'], output: ['y'] }] });
		expect(graph.nodes[0]!.name).toMatch(/Neg/);
	});
});

describe('decoding refuses', () => {
	it('bytes that are no model', () => {
		for (const bytes of [
			Uint8Array.from([0xff, 0xff, 0xff]),
			new TextEncoder().encode('{"not": "onnx"}'),
			Uint8Array.from([0x3a, 0x7f, 1]),
		])
			expectRefusal(() => decodeModel(bytes), 'malformed_model', null, /not an ONNX model/);
	});

	it('a model cut at any place, or gives one that lacks what was cut off', () => {
		const bytes = bytesOf({
			irVersion: 8n,
			opsetImport,
			graph: {
				name: 'g',
				node: [{ opType: 'Neg', input: ['x'], output: ['y'] }],
				initializer: [{ name: 'w', dataType: T.FLOAT, dims: [1n], floatData: [1] }],
			},
		});
		for (let length = 0; length < bytes.length; length++) {
			try {
				decodeModel(bytes.slice(0, length));
			} catch (error) {
				expect(error, `cut at ${length}`).toBeInstanceOf(GraphError);
			}
		}
	});

	it('a model with any byte changed with a GraphError, or reads it, but fails in no other way', () => {
		const bytes = bytesOf({
			irVersion: 8n,
			opsetImport,
			graph: {
				name: 'g',
				input: [info('x', T.FLOAT, [1, 'n'])],
				node: [{ opType: 'Neg', input: ['x'], output: ['y'], attribute: [{ name: 'a', type: A.INTS, ints: [1n, 2n] }] }],
				initializer: [{ name: 'w', dataType: T.FLOAT, dims: [2n], rawData: new Uint8Array(8) }],
			},
		});
		for (let at = 0; at < bytes.length; at++)
			for (const change of [1, 0x80, 0xff]) {
				const changed = bytes.slice();
				changed[at] = changed[at]! ^ change;
				try {
					decodeModel(changed);
				} catch (error) {
					expect(error, `byte ${at} xor ${change}`).toBeInstanceOf(GraphError);
				}
			}
	});

	it('no bytes and a model without a graph', () => {
		expectRefusal(() => decodeModel(new Uint8Array(0)), 'malformed_model', null, /no graph/);
		expectRefusal(() => decodeModel(bytesOf({ opsetImport })), 'malformed_model', null, /no graph/);
	});

	it('a model that does not say its version of the standard operators', () => {
		expectRefusal(
			() => decoded({}, { opsetImport: [{ domain: 'com.microsoft', version: 1n }] }),
			'malformed_model',
			null,
			/standard operator set/,
		);
	});

	it('data that lies in another file, naming the tensor', () => {
		expectRefusal(
			() => withTensor({ dataType: T.FLOAT, dims: [1n], dataLocation: TensorProto_DataLocation.EXTERNAL }),
			'unsupported_model',
			'w',
			/another file/,
		);
		expectRefusal(
			() => withTensor({ dataType: T.FLOAT, dims: [1n], externalData: [{ key: 'location', value: '/etc/passwd' }] }),
			'unsupported_model',
			'w',
			/another file/,
		);
	});

	it('a value of the one name that the runtime cannot give', () =>
		expectRefusal(() => withTensor({ name: '__proto__' }), 'unsupported_model', '__proto__', /another name/));

	it('nodes in a circle, naming them', () =>
		expectRefusal(
			() => decoded({ node: ['y', 'h'].map((name, i, all) => ({ name, opType: 'Neg', input: [all[1 - i]!], output: [name] })) }),
			'malformed_model',
			'y',
			/circle.*"y" \(Neg\) → "h" \(Neg\) → "y" \(Neg\)/,
		));

	it('sparse initializers', () => {
		expectRefusal(() => decoded({ sparseInitializer: [{ dims: [2n] }] }), 'unsupported_model', null, /sparse/);
	});

	it('more or fewer bytes or elements than the shape needs, naming the tensor', () => {
		const f = { dataType: T.FLOAT, dims: [2n, 2n] };
		for (const bytes of [1, 4, 15, 17, 32])
			expectRefusal(
				() => withTensor({ ...f, rawData: new Uint8Array(bytes) }),
				'malformed_model',
				'w',
				new RegExp(`${bytes} bytes, expected 16`),
			);
		for (const count of [1, 3, 5])
			expectRefusal(
				() => withTensor({ ...f, floatData: new Array(count).fill(0) }),
				'malformed_model',
				'w',
				new RegExp(`${count} elements, expected 4`),
			);
		expectRefusal(() => withTensor(f), 'malformed_model', 'w', /0 elements, expected 4/);
		expectRefusal(() => withTensor({ ...f, dims: [0n], rawData: new Uint8Array(4) }), 'malformed_model', 'w', /4 bytes, expected 0/);
	});

	it('impossible shapes, naming the tensor', () => {
		expectRefusal(() => withTensor({ dataType: T.FLOAT, dims: [-1n] }), 'malformed_model', 'w', /impossible shape/);
		expectRefusal(
			() => withTensor({ dataType: T.FLOAT, dims: [-2n, -2n], floatData: [1, 2, 3, 4] }),
			'malformed_model',
			'w',
			/impossible shape/,
		);
		expectRefusal(() => withTensor({ dataType: T.FLOAT, dims: [2n ** 40n, 2n ** 40n] }), 'malformed_model', 'w', /impossible shape/);
	});

	it('element types that are not held, naming tensor or value', () => {
		for (const dataType of [T.UNDEFINED, T.STRING, T.FLOAT8E5M2, T.COMPLEX64, 999]) {
			expectRefusal(() => withTensor({ dataType, dims: [0n] }), 'unsupported_model', 'w', /data type/);
			expectRefusal(() => decoded({ input: [info('x', dataType, [1])] }), 'unsupported_model', 'x', /data type/);
		}
	});

	it('data in a field that does not belong to the type', () => {
		expectRefusal(() => withTensor({ dataType: T.FLOAT, dims: [1n], int64Data: [1n] }), 'malformed_model', 'w', /./);
		expectRefusal(() => withTensor({ dataType: T.INT64, dims: [1n], floatData: [1] }), 'malformed_model', 'w', /./);
		expectRefusal(() => withTensor({ dataType: T.INT32, dims: [1n], floatData: [1.5] }), 'malformed_model', 'w', /./);
	});

	it('inputs and outputs that are no tensors, and inputs without a type, by name', () => {
		expectRefusal(() => decoded({ input: [{ name: 'x' }] }), 'unsupported_model', 'x', /untyped, expected a tensor/);
		expectRefusal(
			() => decoded({ output: [{ name: 's', type: { value: { case: 'sequenceType', value: {} } } }] }),
			'unsupported_model',
			's',
			/sequenceType, expected a tensor/,
		);
	});

	it('an input of unknown rank rather than take it for a scalar', () => {
		expectRefusal(
			() => decoded({ input: [{ name: 'x', type: { value: { case: 'tensorType', value: { elemType: T.FLOAT } } } }] }),
			'unknown_shape',
			'x',
			/./,
		);
	});

	it('attributes of a type that is not held, naming node and attribute', () => {
		const node = (attribute: { name: string; type: A }) => () => decoded({ node: [{ name: 'n', opType: 'Neg', attribute: [attribute] }] });
		expectRefusal(node({ name: 'a', type: A.SPARSE_TENSOR }), 'unsupported_model', 'n', /"a" of type SPARSE_TENSOR/);
		expectRefusal(node({ name: 'a', type: A.UNDEFINED }), 'unsupported_model', 'n', /"a" of type UNDEFINED/);
		expectRefusal(node({ name: 'a', type: A.TENSOR }), 'unsupported_model', 'n', /"a" of type TENSOR/);
		expectRefusal(node({ name: 'a', type: A.GRAPH }), 'unsupported_model', 'n', /"a" of type GRAPH/);
	});
});
