import { type DType, type Tensor, tensor } from '@steelyard/runtime';

/** What stands on WebGPU in the place of the types that it does not compute with. */
const NARROW: Readonly<Partial<Record<DType, DType>>> = {
	...{ int64: 'int32', int16: 'int32', int8: 'int32', uint16: 'int32', uint64: 'uint32', float64: 'float32' },
};
export const narrowType = (dtype: DType): DType => NARROW[dtype] ?? dtype;

/** A tensor in the type that a graph of `forWebgpu` takes it in. */
export function narrow(value: Tensor): Tensor {
	const dtype = narrowType(value.dtype);
	if (dtype === value.dtype) return value;
	return tensor(dtype, value.shape, Float64Array.from(value.data as ArrayLike<number | bigint> as ArrayLike<number>, Number));
}
