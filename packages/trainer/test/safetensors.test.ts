import { readFileSync } from 'node:fs';
import { type DType, type Tensor, tensor } from '@steelyard/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeSafetensors as decodeFrom, safetensorsParts } from '../src/job/safetensors.js';
import { byteSource } from './byte-source.js';

const encodeSafetensors = (...file: Parameters<typeof safetensorsParts>): Uint8Array => Buffer.concat(safetensorsParts(...file));
const decodeSafetensors = (bytes: Uint8Array) => decodeFrom(byteSource(bytes));

const example = new Map<string, Tensor>([
	['a', tensor('float32', [2, 2], [1, -0, Number.NaN, 4])],
	['b/m', tensor('float64', [1], [1 / 3])],
	['steps', tensor('int64', [2], [-(2 ** 40), 7])],
	['odd', tensor('uint8', [3], [1, 0, 255])],
	['scalar', tensor('float32', [], [2.5])],
	['empty', tensor('float32', [0, 4], [])],
	['i', tensor('int32', [1], [-5])],
	['größe', tensor('uint32', [1], [0xffffffff])],
]);

/** Length of the header, its entries, and the data after it. */
function partsOf(bytes: Uint8Array) {
	const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
	const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as Record<string, { data_offsets: [number, number] }>;
	return { length, header, data: bytes.subarray(8 + length) };
}

/** A file with this header and this many bytes of data. */
function fileOf(header: string, dataBytes: number): Uint8Array {
	const json = Buffer.from(header);
	const bytes = new Uint8Array(8 + json.length + dataBytes);
	new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
	bytes.set(json, 8);
	return bytes;
}

describe('safetensors', () => {
	it('come back as they were written, bit for bit, with their metadata', () => {
		const { tensors, metadata } = decodeSafetensors(encodeSafetensors(example, { epoch: '3', note: 'ü "quoted"' }));
		expect(tensors).toEqual(example);
		expect(Object.is(tensors.get('a')!.data[1], -0)).toBe(true);
		expect(metadata).toEqual({ epoch: '3', note: 'ü "quoted"' });
	});

	it('come back for any names, sizes and order', () => {
		const entry = fc.record({ dtype: fc.constantFrom<DType>('float32', 'float64', 'int32', 'uint8', 'uint32'), size: fc.nat(9) });
		const name = fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }).filter((text) => !text.startsWith('__'));
		fc.assert(
			fc.property(fc.dictionary(name, entry, { noNullPrototype: true }), (entries) => {
				const tensors = new Map(
					Object.entries(entries).map(([key, { dtype, size }]) => [
						key,
						tensor(
							dtype,
							[size],
							Array.from({ length: size }, (_, i) => i),
						),
					]),
				);
				expect(decodeSafetensors(encodeSafetensors(tensors)).tensors).toEqual(tensors);
			}),
			{ seed: 1, numRuns: 100 },
		);
	});

	it('hold a header of a multiple of 8 bytes that begins with a brace, and offsets without a gap that end with the file', () => {
		for (const note of ['', 'x', 'xx', 'xxx', 'ü', 'xxxxx', 'xxxxxx', 'xxxxxxx']) {
			const bytes = encodeSafetensors(example, { note });
			const { length, header, data } = partsOf(bytes);
			expect(length % 8).toBe(0);
			expect(bytes[8]).toBe('{'.charCodeAt(0));
			let end = 0;
			for (const [name, { data: values }] of example) {
				expect(header[name]!.data_offsets).toEqual([end, end + values.byteLength]);
				end += values.byteLength;
			}
			expect(data.length).toBe(end);
		}
	});

	it('hold little-endian numbers, row by row', () => {
		const { data } = partsOf(encodeSafetensors(new Map([['x', tensor('float32', [2], [1, 2])]])));
		expect([...data]).toEqual([0, 0, 0x80, 0x3f, 0, 0, 0, 0x40]);
	});

	it('are written of a view that begins inside its buffer', () => {
		const view = Float32Array.from([9, 9, 1, 2]).subarray(2);
		expect([...decodeSafetensors(encodeSafetensors(new Map([['x', tensor('float32', [2], view)]]))).tensors.get('x')!.data]).toEqual([
			1, 2,
		]);
	});

	it('are read from a Python file, whose tensors are in the order of their size', () => {
		const file = readFileSync(new URL('fixtures/tensors.safetensors', import.meta.url));
		const { tensors, metadata } = decodeSafetensors(file);
		expect(metadata).toEqual({ steelyard: '{"epoch": 3}' });
		expect(Object.fromEntries([...tensors].map(([name, { dtype, shape, data }]) => [name, [dtype, shape, [...data]]]))).toEqual({
			weights: ['float32', [2, 3], [0, 0.25, 0.5, 0.75, 1, 1.25]],
			double: ['float64', [2], [1 / 3, -1e300]],
			scalar: ['float32', [], [2.5]],
			empty: ['float32', [0, 4], []],
			steps: ['int64', [2], [-(2n ** 62n), 7n]],
			mask: ['uint8', [3], [1, 0, 1]],
			größe: ['int32', [1], [-5]],
			bits: ['uint32', [1], [0xffffffff]],
		});
	});

	it('are copies: what is read does not change with the file', () => {
		const file = encodeSafetensors(new Map([['x', tensor('float32', [1], [1])]]));
		const { tensors } = decodeSafetensors(file);
		file.fill(0);
		expect(tensors.get('x')!.data[0]).toBe(1);
	});

	it('are refused wherever the file is cut', () => {
		const bytes = encodeSafetensors(new Map([['x', tensor('float32', [3], [1, 2, 3])]]), { note: 'n' });
		for (let length = 0; length < bytes.length; length++)
			expect(() => decodeSafetensors(bytes.slice(0, length)), `cut at ${length}`).toThrow(RangeError);
	});

	it('are refused, as RangeError, where the file is something else', () => {
		const claims = new Uint8Array(64).fill(0xff);
		const broken: Array<[string, Uint8Array]> = [
			['a header length beyond the file', claims],
			['zeros', new Uint8Array(64)],
			['a header that is not JSON', fileOf('not json', 4)],
			['a header that is null', fileOf('null', 4)],
			['a header that is a number', fileOf('12345678', 4)],
			['an entry without offsets', fileOf('{"x":{"dtype":"F32","shape":[1]}}', 4)],
			['an entry that is null', fileOf('{"x":null}', 4)],
			['offsets beyond the file', fileOf('{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', 4)],
			['offsets that run backwards', fileOf('{"x":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}', 4)],
			['fewer bytes than the shape needs', fileOf('{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}', 4)],
			['a share of an element', fileOf('{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,3]}}', 4)],
			['a type that is not held', fileOf('{"x":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}', 4)],
		];
		const accepted = broken.filter(([, bytes]) => {
			try {
				decodeSafetensors(bytes);
				return true;
			} catch (error) {
				return !(error instanceof RangeError);
			}
		});
		expect(accepted.map(([what]) => what)).toEqual([]);
	});

	it('refuse to hold a type without a name in the format, naming the tensor', () => {
		expect(() => encodeSafetensors(new Map([['flags', tensor('bool', [1], [1])]]))).toThrow(/"flags" is bool/);
	});
});
