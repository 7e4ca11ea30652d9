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
