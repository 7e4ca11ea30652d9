import type { GraphBuilder, Value } from '@steelyard/onnx';

/** Numbers of the floating types in ONNX's TensorProto.DataType. */
const codes: Readonly<Record<string, number>> = { float32: 1, float16: 10, float64: 11 };

export const isFloat = (x: Value): boolean => Object.hasOwn(codes, x.dtype);

/** A value in the floating type of another. */
export const likeType = (g: GraphBuilder, value: Value, x: Value): Value =>
	value.dtype === x.dtype ? value : g.op('Cast', [value], { to: codes[x.dtype] as number }, { dtype: x.dtype });
