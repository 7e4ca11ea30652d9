/** The moments and extremes of a stream of numbers, in float64 (Welford 1962). */
export type Moments = { count: number; mean: number; squares: number; min: number; max: number };

export const emptyMoments = (): Moments => ({ count: 0, mean: 0, squares: 0, min: Infinity, max: -Infinity });

/** Adds a number to the moments. */
export function addMoment(moments: Moments, value: number): void {
	moments.count++;
	const delta = value - moments.mean;
	moments.mean += delta / moments.count;
	moments.squares += delta * (value - moments.mean);
	moments.min = Math.min(moments.min, value);
	moments.max = Math.max(moments.max, value);
}

/** The population deviation; 0 of no numbers. */
export const deviation = ({ count, squares }: Moments): number => (count === 0 ? 0 : Math.sqrt(squares / count));
