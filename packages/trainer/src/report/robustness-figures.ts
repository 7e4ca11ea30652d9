import type { Interval, Metrics } from '@steelyard/contracts';
import { higherIsBetter } from './metrics.js';

/** How much worse a value of a metric is than another: positive is worse. Null where one of them is undefined. */
export function dropOf(metric: string, clean: number | null, value: number | null): number | null {
	if (clean === null || value === null) return null;
	return higherIsBetter(metric) ? clean - value : value - clean;
}

/** How much worse each metric is than clean. */
export const dropsOf = (clean: Metrics, metrics: Metrics): Metrics =>
	Object.fromEntries(Object.entries(clean).map(([name, value]) => [name, dropOf(name, value, metrics[name] ?? null)]));

/** The 0.975 quantiles of Student's t for 1 to 9 degrees of freedom (Gosset 1908; scipy.stats.t.ppf). */
const T975 = [
	12.7062047362, 4.30265272975, 3.18244630528, 2.7764451052, 2.57058183564, 2.44691185114, 2.36462425159, 2.3060041352, 2.2621571628,
];

/** The mean of 2 to 10 values and its 95 % interval by Student's t; null where one of them is undefined. */
export function intervalOf(values: readonly (number | null)[]): Interval | null {
	const known = values.filter((value) => value !== null);
	const n = known.length;
	if (n < values.length) return null;
	const mean = known.reduce((sum, value) => sum + value, 0) / n;
	const variance = known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
	const half = (T975[n - 2] as number) * Math.sqrt(variance / n);
	return { mean, low: mean - half, high: mean + half };
}

/** The area under a curve by trapezoids, divided by its width; null where a value is undefined. */
function meanHeight(x: readonly number[], y: readonly (number | null)[]): number | null {
	let area = 0;
	for (let i = 1; i < x.length; i++) {
		const [left, right] = [y[i - 1] ?? null, y[i] ?? null];
		if (left === null || right === null) return null;
		area += (((x[i] as number) - (x[i - 1] as number)) * (left + right)) / 2;
	}
	return area / ((x.at(-1) as number) - (x[0] as number));
}

/** A metric at levels of noise that rise from 0. */
type Curve = readonly (number | null)[];

/**
 * Relative robustness of MultiBench (Liang et al., NeurIPS 2021, eval_scripts/robustness.py): the area under performance against the level of noise. Levels rise from 0;
 * the area is divided by the last one, so that it is a mean of the metric. MultiBench scales the numbers of all its methods to 0…1, for which one model is too few.
 */
export const relativeRobustness = (levels: readonly number[], curve: Curve): number | null => meanHeight(levels, curve);

/**
 * Effective robustness of MultiBench: how much better a model is under noise than late fusion, whose curve is moved to the same clean value. The area between the two
 * curves, where MultiBench adds up their differences at equal steps; divided by the last level. Positive is better, whatever the metric.
 */
export function effectiveRobustness(metric: string, levels: readonly number[], curve: Curve, late: Curve): number | null {
	const losses = (of: Curve): Curve => of.map((value) => dropOf(metric, of[0] ?? null, value));
	const [own, other] = [meanHeight(levels, losses(curve)), meanHeight(levels, losses(late))];
	return own === null || other === null ? null : other - own;
}
