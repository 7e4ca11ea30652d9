/** Intervals of equal width in which numbers are counted. */
export const HISTOGRAM_BINS = 20;

/** The least and the greatest of numbers. */
export type Range = { readonly from: number; readonly to: number };

/** The range of numbers, of which there is at least one. */
export function rangeOf(numbers: Iterable<number>): Range {
	let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
	for (const number of numbers) {
		if (number < from) from = number;
		if (number > to) to = number;
	}
	return { from, to };
}

/** How many numbers of a range lie in each of its intervals, as numpy.histogram counts them: one between two intervals is of the higher. All are in the first where the range has no width. */
export function countsIn({ from, to }: Range, numbers: Iterable<number>): number[] {
	const width = to / HISTOGRAM_BINS - from / HISTOGRAM_BINS; // the difference itself may be infinite
	const edge = (bin: number): number => from + bin * width;
	const last = HISTOGRAM_BINS - 1;
	const counts = new Array<number>(HISTOGRAM_BINS).fill(0);
	for (const number of numbers) {
		let bin = width > 0 ? Math.min(last, Math.floor(number / width - from / width)) : 0;
		// what rounding has moved over an edge
		if (bin > 0 && number < edge(bin)) bin--;
		else if (bin < last && width > 0 && number >= edge(bin + 1)) bin++;
		counts[bin] = (counts[bin] as number) + 1;
	}
	return counts;
}
