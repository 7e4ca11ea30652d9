/** Metrics of which less is better. */
const LESS = /(^|\.)(loss|mae|rmse|pinball|interval_width)$/;

/** Whether less of a metric is better. */
export const lessIsBetter = (metric: string): boolean => LESS.test(metric);

/** Which of some values are the best; none where fewer than two are there, or all are equal. */
export function bestAmong(metric: string, values: readonly (number | null | undefined)[]): ReadonlySet<number> {
	const there = values.filter((value): value is number => typeof value === 'number');
	const best = lessIsBetter(metric) ? Math.min(...there) : Math.max(...there);
	if (there.length < 2 || there.every((value) => value === best)) return new Set();
	return new Set(values.flatMap((value, i) => (value === best ? [i] : [])));
}
