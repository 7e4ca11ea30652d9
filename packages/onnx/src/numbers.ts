import type { Tensor } from '@steelyard/runtime';

/** The number of which these are the 16 bits, as a half-precision float (IEEE 754 binary16). */
export function fromHalf(bits: number): number {
	const sign = bits & 0x8000 ? -1 : 1;
	const exponent = (bits >> 10) & 0x1f;
	const fraction = bits & 0x3ff;
	if (exponent === 0) return sign * fraction * 2 ** -24;
	if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
	return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Reads elements of a tensor as numbers, by their index. */
export function numbersOf({ dtype, data }: Tensor): (index: number) => number {
	return dtype === 'float16' ? (index) => fromHalf(data[index] as number) : (index) => Number(data[index]);
}
