import type { ColumnProfile } from '@steelyard/contracts';
import { figure } from '../format.js';

/** How the numbers of a column are spread: dates in unix seconds, texts by how many words they have. */
export type NumbersDistribution = {
	readonly of: 'numbers' | 'dates' | 'words';
	readonly count: number;
	readonly sampled: boolean;
	readonly min: number;
	readonly max: number;
	readonly mean: number;
	readonly std: number;
	/** How many lie in each of intervals of equal width. */
	readonly counts: readonly number[];
};

/** How often the values of a column occur, the most frequent first. */
export type ValuesDistribution = {
	readonly of: 'values';
	readonly count: number;
	readonly values: readonly { readonly value: string; readonly count: number }[];
	/** How many cells have another value. */
	readonly others: number;
};

/** How the values of a column are spread; undefined where the service does not say it. */
export const distributionOf = (column: ColumnProfile): NumbersDistribution | ValuesDistribution | undefined =>
	(column as { distribution?: NumbersDistribution | ValuesDistribution }).distribution;

/** The values that a column is known to have, the most frequent first. */
export function knownValues(column: ColumnProfile): string[] {
	const distribution = distributionOf(column);
	const frequent = distribution?.of === 'values' ? distribution.values.map(({ value }) => value) : [];
	return [...new Set([...frequent, ...column.examples])];
}

const DAY_SECONDS = 86_400;

/** A number of a distribution in words; a moment to the day where the whole range has more than some days, else to the minute. */
export function boundWords({ of, min, max }: Pick<NumbersDistribution, 'of' | 'min' | 'max'>, value: number): string {
	if (of !== 'dates') return figure(value);
	const date = new Date(value * 1000);
	if (Number.isNaN(date.getTime())) return figure(value);
	return date
		.toISOString()
		.replace('T', ' ')
		.slice(0, max - min > 3 * DAY_SECONDS ? 10 : 16);
}
