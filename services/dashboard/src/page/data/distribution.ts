import type { ColumnDistribution, ColumnProfile } from '@steelyard/contracts';
import { figure } from '../format.js';

/** How the numbers of a column are spread. */
export type NumbersDistribution = Exclude<ColumnDistribution, { of: 'values' }>;

/** How often the values of a column occur. */
export type ValuesDistribution = Extract<ColumnDistribution, { of: 'values' }>;

/** The values that a column is known to have, the most frequent first. */
export function knownValues({ distribution, examples }: Pick<ColumnProfile, 'distribution' | 'examples'>): string[] {
	const frequent = distribution?.of === 'values' ? distribution.values.map(({ value }) => value) : [];
	return [...new Set([...frequent, ...examples])];
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
