import type { DType } from '@steelyard/runtime';
import { TensorProto_DataType as T } from 'onnx-buf';

const numbers: Record<DType, T> = {
	float32: T.FLOAT,
	float64: T.DOUBLE,
	float16: T.FLOAT16,
	bfloat16: T.BFLOAT16,
	int8: T.INT8,
	int16: T.INT16,
	int32: T.INT32,
	int64: T.INT64,
	uint8: T.UINT8,
	uint16: T.UINT16,
	uint32: T.UINT32,
	uint64: T.UINT64,
	bool: T.BOOL,
	string: T.STRING,
};
const names = new Map<number, DType>(Object.entries(numbers).map(([name, number]) => [number, name as DType]));
for (const none of [T.STRING, T.BFLOAT16]) names.delete(none);

/** The number that TensorProto.DataType gives to an element type. */
export const dataTypeOf = (dtype: DType): number => numbers[dtype];

/** The element type of a TensorProto.DataType number, or undefined for one that no model we read may have (strings, complex, float8 …). */
export const dtypeOf = (dataType: number): DType | undefined => names.get(dataType);

const [lowest, highest] = [-(2n ** 63n), 2n ** 63n - 1n];

/** A whole number as 64 bits, at most 2⁶³ − 1: slices end at this number, which as a JavaScript number becomes 2⁶³. */
export function int64Of(value: number): bigint {
	const whole = BigInt(value);
	return whole > highest ? highest : whole < lowest ? lowest : whole;
}
