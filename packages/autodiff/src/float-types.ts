import type { GraphBuilder, Value } from '@steelyard/onnx';

const floats: readonly string[] = ['float32', 'float64'];
const halves: readonly string[] = ['float16', 'bfloat16'];

/** Whether a value is of a floating type. */
export const isFloat = (value: Value | null | undefined): boolean => floats.includes(value?.dtype ?? '');

/** Whether a value is of a floating type of 16 bits. */
export const isHalf = (value: Value | null | undefined): boolean => halves.includes(value?.dtype ?? '');

/** A value in the type of another. */
export const likeType = (g: GraphBuilder, value: Value, x: Value): Value => g.cast(value, x.dtype);
