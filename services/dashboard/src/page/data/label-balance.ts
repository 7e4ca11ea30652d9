import type { DatasetResource } from '@steelyard/contracts';

type Splits = DatasetResource['splits'];
type BarGroup = { readonly name: string; readonly values: readonly (number | null)[] };

/** The most classes that are drawn. */
export const MOST_CLASSES = 20;

/**
 * The share of each class in each split, the most frequent class of all splits first, and how many classes are not among them. In a multilabel task, of all rows
 * of a split those that have the label.
 */
export function labelBalance(splits: Splits, isMultilabel: boolean): { parts: string[]; groups: BarGroup[]; more: number } {
	const parts = Object.keys(splits);
	const totals = new Map<string, number>();
	for (const { labels } of Object.values(splits))
		for (const [name, n] of Object.entries(labels)) totals.set(name, (totals.get(name) ?? 0) + n);
	const names = [...totals].sort(([, a], [, b]) => b - a).map(([name]) => name);
	const sums = Object.values(splits).map(({ labels, rows }) =>
		isMultilabel ? rows : Object.values(labels).reduce((sum, n) => sum + n, 0),
	);
	const groups = names.slice(0, MOST_CLASSES).map((name) => ({
		name,
		values: Object.values(splits).map(({ labels }, s) => {
			const sum = sums[s] as number;
			return sum === 0 ? null : (labels[name] ?? 0) / sum;
		}),
	}));
	return { parts, groups, more: Math.max(0, names.length - MOST_CLASSES) };
}
