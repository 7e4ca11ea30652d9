/** The numbers of an array as they are checked: integers of 64 bits stay bigint. */
export type Numbers =
	| Int8Array
	| Uint8Array
	| Int16Array
	| Uint16Array
	| Int32Array
	| Uint32Array
	| Float32Array
	| Float64Array
	| BigInt64Array
	| BigUint64Array;

export type ElementKind = 'boolean' | 'integer' | 'float';

/** One element type of the `.npy` format. */
export type ElementType = {
	/** The name that NumPy gives it. */
	readonly name: string;
	readonly kind: ElementKind;
	readonly bytes: 1 | 2 | 4 | 8;
	/** A view of whole elements in this machine's byte order (little-endian, as on every platform of ONNX Runtime); `offset` is aligned. */
	view(buffer: ArrayBuffer, offset: number, length: number): Numbers;
	/** The values of a view. */
	decode(raw: Numbers): Numbers;
};

type View = new (buffer: ArrayBuffer, offset: number, length: number) => Numbers;

const same = (raw: Numbers): Numbers => raw;

const type = (name: string, kind: ElementKind, bytes: ElementType['bytes'], Array: View, decode = same): ElementType => ({
	name,
	kind,
	bytes,
	view: (buffer, offset, length) => new Array(buffer, offset, length),
	decode,
});

/** The value of an IEEE 754 binary16 number by its bits. */
const float16Value = (bits: number): number => {
	const sign = bits & 0x8000 ? -1 : 1;
	const exponent = (bits >> 10) & 31;
	const fraction = bits & 1023;
	if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
	return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
};

let float16Values: Float32Array | null = null;

const decodeFloat16 = (raw: Numbers): Numbers => {
	float16Values ??= Float32Array.from({ length: 65536 }, (_, bits) => float16Value(bits));
	const values = new Float32Array(raw.length);
	for (let i = 0; i < raw.length; i++) values[i] = float16Values[raw[i] as number] as number;
	return values;
};

/** Every element type that can be read, by the type code in `descr` without the byte order. */
export const ELEMENT_TYPES: ReadonlyMap<string, ElementType> = new Map(
	Object.entries({
		b1: type('bool', 'boolean', 1, Uint8Array),
		i1: type('int8', 'integer', 1, Int8Array),
		u1: type('uint8', 'integer', 1, Uint8Array),
		i2: type('int16', 'integer', 2, Int16Array),
		u2: type('uint16', 'integer', 2, Uint16Array),
		i4: type('int32', 'integer', 4, Int32Array),
		u4: type('uint32', 'integer', 4, Uint32Array),
		i8: type('int64', 'integer', 8, BigInt64Array),
		u8: type('uint64', 'integer', 8, BigUint64Array),
		f2: type('float16', 'float', 2, Uint16Array, decodeFloat16),
		f4: type('float32', 'float', 4, Float32Array),
		f8: type('float64', 'float', 8, Float64Array),
	}),
);
