/** The extremes of a stream of numbers, and whether all of them are whole. Integers of more than 53 bits are rounded. */
export type Range = { min: number; max: number; whole: boolean };

export const emptyRange = (): Range => ({ min: Infinity, max: -Infinity, whole: true });

/** Takes in numbers. */
export function widen(range: Range, values: ArrayLike<number | bigint>): void {
	let { min, max, whole } = range;
	for (let i = 0; i < values.length; i++) {
		const value = Number(values[i]);
		if (value < min) min = value;
		if (value > max) max = value;
		whole &&= Number.isInteger(value);
	}
	Object.assign(range, { min, max, whole });
}

/** Takes in numbers of single precision, and says whether all of them are finite. */
export function widenFinite(range: Range, values: Float32Array): boolean {
	let { min, max, whole } = range;
	let finite = true;
	for (let i = 0; i < values.length; i++) {
		const value = values[i] as number;
		if (value < min) min = value;
		if (value > max) max = value;
		whole &&= Number.isInteger(value);
		finite &&= Number.isFinite(value);
	}
	Object.assign(range, { min, max, whole });
	return finite;
}

/** Takes in the numbers of another range. */
export function include(range: Range, { min, max, whole }: Range): void {
	Object.assign(range, { min: Math.min(range.min, min), max: Math.max(range.max, max), whole: range.whole && whole });
}
