import { type ColumnDistribution, countsIn, rangeOf } from '@steelyard/contracts';
import type { Column } from './infer.js';
import type { ColumnScan } from './scan.js';

/** How many values of a column are listed: most, least, and all columns together as long as that allows. */
const VALUES = { most: 20, least: 5, all: 20_000 };

/** How numbers are spread; null where there are none, and where float64 does not hold their spread. */
function ofNumbers(of: 'numbers' | 'dates' | 'words', numbers: Float64Array, sampled: boolean): ColumnDistribution | null {
	const count = numbers.length;
	if (count === 0) return null;
	const range = rangeOf(numbers);
	const mean = numbers.reduce((sum, number) => sum + number, 0) / count;
	const std = Math.sqrt(numbers.reduce((sum, number) => sum + (number - mean) ** 2, 0) / count);
	// The squares of numbers near the largest of float64 are none.
	if (!Number.isFinite(std)) return null;
	return { of, count, sampled, min: range.from, max: range.to, mean, std, counts: countsIn(range, numbers) };
}

function ofValues({ valueCounts }: ColumnScan, columns: number): ColumnDistribution {
	const { counts, others } = valueCounts;
	const listed = Math.max(VALUES.least, Math.min(VALUES.most, Math.floor(VALUES.all / columns)));
	const frequent = counts.toSorted(([, a], [, b]) => b - a);
	const rest = frequent.slice(listed).reduce((sum, [, count]) => sum + count, others);
	const values = frequent.slice(0, listed).map(([value, count]) => ({ value, count }));
	return { of: 'values', count: values.reduce((sum, { count }) => sum + count, rest), values, others: rest };
}

/** How the values of a column, one of so many, are spread; null for one of lists, and for one that is neither a feature nor a label. */
export function distributionOf({ kind, reading }: Column, scan: ColumnScan, columns: number): ColumnDistribution | null {
	const { sample, rows, lists } = scan;
	if (lists !== null) return null;
	const isSampled = rows > sample.most;
	switch (kind) {
		case 'number':
			return ofNumbers('numbers', sample.numbers(reading.decimal), isSampled);
		case 'date':
			return ofNumbers('dates', sample.seconds(reading.dayFirst), isSampled);
		case 'text':
			return ofNumbers('words', sample.words(), isSampled);
		case 'category':
			return ofValues(scan, columns);
		default:
			return null;
	}
}
