import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type Tensor, tensor } from '@steelyard/runtime';
import { ModelProtoSchema, TensorProto_DataType as T } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { canonicalise, decodeModel, encodeModel, GraphBuilder, HALVES, OPSET, parametersOf, replaceInitializers } from '../src/index.js';

/** Bits and numbers of each type by its definition: 1 and 8 or 5 and 7 or 10 bits for sign, exponent and fraction. */
const types = [
	['bfloat16', T.BFLOAT16, [0x3f80, 0xc020, 0x0001, 0x7f80], [1, -2.5, 2 ** -133, Number.POSITIVE_INFINITY]],
	['float16', T.FLOAT16, [0x3c00, 0xc100, 0x0001, 0x7c00], [1, -2.5, 2 ** -24, Number.POSITIVE_INFINITY]],
] as const;

/** x `[2, 4]` times w `[4]` of a type of 16 bits, in that type. */
function product(dataType: T, bits: readonly number[]): Uint8Array {
	const g = new GraphBuilder();
	const x = g.input('x', 'float32', [2, 4]);
	const half = { to: dataType };
	const w = g.initializer('w', tensor('float16', [4], Uint16Array.from(bits)));
	const scaled = g.mul(g.op('Cast', [x], half, { dtype: 'float16' }), w);
	g.output('y', g.cast(scaled, 'float32'));
	const proto = fromBinary(ModelProtoSchema, encodeModel({ graph: g.build('product'), opset: OPSET }));
	proto.graph!.initializer[0]!.dataType = dataType;
	return toBinary(ModelProtoSchema, create(ModelProtoSchema, proto));
}
const rawOf = (bytes: Uint8Array): Uint16Array =>
	new Uint16Array(new Uint8Array(fromBinary(ModelProtoSchema, bytes).graph!.initializer[0]!.rawData).buffer);
const floats = (values: readonly number[]): ReadonlyMap<string, Tensor> => new Map([['w', tensor('float32', [values.length], values)]]);

describe.each(types)('a graph of %s', (type, dataType, bits, numbers) => {
	const bytes = product(dataType, bits);

	it('is read in float32, and says which types its file has', async () => {
		const model = decodeModel(bytes, { widen: HALVES });
		expect(Array.from(model.graph.initializers.get('w')!.data as Float32Array)).toEqual(numbers);
		expect(model.halves).toEqual(new Map([['w', type]]));
		expect(parametersOf(model)).toMatchObject([{ name: 'w', dtype: 'float32', trainable: true }]);
		const { values } = await canonicalise(model, { parameters: ['w'] });
		expect(new Set([...values.values()].map(({ dtype }) => dtype))).toEqual(new Set(['float32']));
	});

	it('gets its numbers back bit for bit, and others rounded to the nearest, halves to even', () => {
		expect(rawOf(replaceInitializers(bytes, floats(numbers)))).toEqual(Uint16Array.from(bits));
		const step = type === 'bfloat16' ? 2 ** -7 : 2 ** -10;
		const made = replaceInitializers(bytes, floats([1 + step / 2, 1 + (3 * step) / 2, 1 + 0.6 * step, -0]));
		const one = bits[0];
		expect(rawOf(made)).toEqual(Uint16Array.of(one, one + 2, one + 1, 0x8000));
		expect(rawOf(replaceInitializers(bytes, floats([Number.NaN, 3e38, -3.4e38, 0])))[0]! & 0x7fff).toBeGreaterThan(bits[3]);
	});
});

describe('decoding', () => {
	it('leaves float16 as it is unless told otherwise, and brings bfloat16 to float32', () => {
		const dtypes = types.map(([, dataType, bits]) => decodeModel(product(dataType, bits)).graph.initializers.get('w')!.dtype);
		expect(dtypes).toEqual(['float32', 'float16']);
	});

	it('refuses an odd number of bytes', () => {
		const proto = fromBinary(ModelProtoSchema, product(T.BFLOAT16, types[0][2]));
		proto.graph!.initializer[0]!.rawData = new Uint8Array(7);
		expect(() => decodeModel(toBinary(ModelProtoSchema, proto))).toThrow(/"w"/);
	});
});
