import { describe, expect, it } from 'vitest';
import { arrayTypeOf, type DType, sizeOf, tensor } from '../src/index.js';

describe('tensor', () => {
	const dtypes: Array<[DType, number]> = [
		['float32', 4],
		['float64', 8],
		['float16', 2],
		['int8', 1],
		['int16', 2],
		['int32', 4],
		['int64', 8],
		['uint8', 1],
		['uint16', 2],
		['uint32', 4],
		['uint64', 8],
		['bool', 1],
	];
	for (const [dtype, bytes] of dtypes)
		it(`holds ${dtype} in elements of ${bytes} bytes`, () => {
			const { data, shape } = tensor(dtype, [2, 1], [0, 1]);
			expect(data).toBeInstanceOf(arrayTypeOf(dtype));
			expect(data.BYTES_PER_ELEMENT).toBe(bytes);
			expect(Array.from(data as ArrayLike<number | bigint>, Number)).toEqual([0, dtype === 'float16' ? 0x3c00 : 1]);
			expect(shape).toEqual([2, 1]);
		});

	it('takes a typed array of its own type as it is, and converts others', () => {
		const own = Float32Array.of(1, 2);
		expect(tensor('float32', [2], own).data).toBe(own);
		expect(tensor('float32', [2], Float64Array.of(1.5, 2)).data).toEqual(Float32Array.of(1.5, 2));
		expect(tensor('int64', [2], Int32Array.of(-1, 2)).data).toEqual(BigInt64Array.of(-1n, 2n));
		expect(tensor('uint64', [1], [2 ** 40]).data).toEqual(BigUint64Array.of(2n ** 40n));
	});

	it('holds float16 as the bits of the nearest one, as NumPy does, and takes bits as they are', () => {
		const numbers = [1, -2, 0.1, 65504, 65520, 2 ** -24, 1 + 2 ** -11, 1 + 3 * 2 ** -11, -0, Number.NaN, -1e-5, 2 ** -26];
		const bits = [0x3c00, 0xc000, 0x2e66, 0x7bff, 0x7c00, 0x0001, 0x3c00, 0x3c02, 0x8000, 0x7e00, 0x80a8, 0];
		expect(Array.from(tensor('float16', [12], numbers).data as Uint16Array)).toEqual(bits);
		expect(tensor('float16', [1], Uint16Array.of(0x3c00)).data).toEqual(Uint16Array.of(0x3c00));
	});

	it('holds one element without dimensions and none where a dimension is 0', () => {
		expect(sizeOf([])).toBe(1);
		expect(sizeOf([3, 0, 2])).toBe(0);
		expect(tensor('float32', [], [7]).data).toEqual(Float32Array.of(7));
		expect(tensor('float32', [0, 3], []).data).toHaveLength(0);
	});

	it('is refused when the numbers do not fill the shape', () => {
		expect(() => tensor('float32', [2, 2], [1, 2, 3])).toThrow(RangeError);
		expect(() => tensor('float32', [2, 2], [1, 2, 3])).toThrow(/\[2,2\] holds 4 elements, found 3/);
		expect(() => tensor('int64', [], [])).toThrow(/holds 1 elements, found 0/);
	});
});
