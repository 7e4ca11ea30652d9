/** Element types of tensors, by the names that ONNX Runtime's JavaScript API uses. Only values within a graph are `bfloat16`: no tensor of ours is. */
export type DType =
	| 'float32'
	| 'float64'
	| 'float16'
	| 'bfloat16'
	| 'int8'
	| 'int16'
	| 'int32'
	| 'int64'
	| 'uint8'
	| 'uint16'
	| 'uint32'
	| 'uint64'
	| 'bool'
	| 'string';

/** The element types of numbers that a tensor holds. */
export type NumberDType = Exclude<DType, 'string' | 'bfloat16'>;

export type TensorData =
	| Float32Array
	| Float64Array
	| Int8Array
	| Int16Array
	| Int32Array
	| BigInt64Array
	| Uint8Array
	| Uint16Array
	| Uint32Array
	| BigUint64Array;

/** A dense row-major tensor on the host. `bool` is held as Uint8Array of 0 and 1, `float16` as the bits in a Uint16Array. */
export type Tensor = { readonly dtype: DType; readonly shape: readonly number[]; readonly data: TensorData };

/** Strings, row-major; only what is outside of the models that we train takes them, such as the text of a table. */
export type StringTensor = { readonly dtype: 'string'; readonly shape: readonly number[]; readonly data: readonly string[] };

const arrayTypes = {
	float32: Float32Array,
	float64: Float64Array,
	float16: Uint16Array,
	int8: Int8Array,
	int16: Int16Array,
	int32: Int32Array,
	int64: BigInt64Array,
	uint8: Uint8Array,
	uint16: Uint16Array,
	uint32: Uint32Array,
	uint64: BigUint64Array,
	bool: Uint8Array,
} as const;

/** The number of elements of a shape; 1 for a scalar. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((size, dim) => size * dim, 1);

/** The typed array class that holds elements of `dtype`. Throws TypeError for strings and bfloat16, which none holds. */
export function arrayTypeOf(dtype: DType): (typeof arrayTypes)[NumberDType] {
	if (dtype === 'string') throw new TypeError('no typed array holds strings');
	if (dtype === 'bfloat16') throw new TypeError('no typed array holds bfloat16');
	return arrayTypes[dtype];
}

/** The bits of the nearest float16; halves to even, infinite beyond 65504. */
function float16Bits(value: number): number {
	const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
	const size = Math.abs(value);
	if (Number.isNaN(value)) return 0x7e00;
	if (size >= 65520) return sign | 0x7c00;
	// below 2⁻¹⁴ the step is 2⁻²⁴; above, 2⁻¹⁰ of the power of two
	const exponent = Math.max(-14, Math.floor(Math.log2(Math.max(size, 2 ** -30))));
	const steps = size / 2 ** (exponent - 10);
	const whole = Math.floor(steps);
	const rest = steps - whole;
	const rounded = whole + (rest > 0.5 || (rest === 0.5 && whole % 2 === 1) ? 1 : 0);
	// a mantissa that rounds up to the next power of two adds one to the exponent, as it must
	return sign | (rounded + (exponent + 14) * 1024);
}

/**
 * A tensor of `dtype` from plain numbers, which are converted; values that have the array type of `dtype` are taken as they are (so a Uint16Array holds the bits of
 * float16 numbers). Throws RangeError when the number of values does not fit the shape.
 */
export function tensor(dtype: DType, shape: readonly number[], values: ArrayLike<number> | TensorData): Tensor {
	if (values.length !== sizeOf(shape))
		throw new RangeError(`a tensor of shape [${shape}] holds ${sizeOf(shape)} elements, found ${values.length}`);
	const type = arrayTypeOf(dtype);
	if (values instanceof type) return { dtype, shape, data: values as TensorData };
	if (dtype === 'int64' || dtype === 'uint64') {
		const data = new (type as typeof BigInt64Array)(values.length);
		for (let i = 0; i < data.length; i++) data[i] = BigInt(values[i] as number | bigint);
		return { dtype, shape, data };
	}
	if (dtype === 'float16') return { dtype, shape, data: Uint16Array.from(values as ArrayLike<number>, float16Bits) };
	return { dtype, shape, data: (type as Float32ArrayConstructor).from(values as ArrayLike<number>) };
}
