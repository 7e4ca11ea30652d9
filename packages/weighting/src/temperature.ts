/** Temperatures are looked for between 1/20 and 20. */
export const TEMPERATURE_RANGE = [0.05, 20] as const;

/** Of 1/T, relative, where the search ends; it ends long before so many steps. */
const RESOLUTION = 1e-10;
const MOST_STEPS = 100;

/** First and second derivative of a log loss of logits · β by β = 1/T. */
export type Slope = {
	readonly first: number;
	readonly second: number;
};

/**
 * The temperature T in `TEMPERATURE_RANGE` that minimises a log loss of logits / T: the root of its slope in 1/T, in which it is convex, by Newton's method
 * within a shrinking bracket. T is 1 where no other is better, as for logits that are all 0.
 *
 * @param slopeAt the derivatives at β = 1/T; finite
 */
export function bestTemperature(slopeAt: (beta: number) => Slope): number {
	let lo = 1 / TEMPERATURE_RANGE[1];
	let hi = 1 / TEMPERATURE_RANGE[0];
	let beta = 1;
	for (let step = 0; step < MOST_STEPS; step++) {
		const { first, second } = slopeAt(beta);
		if (first === 0) break;
		if (step === 0) {
			const end = first < 0 ? hi : lo;
			if (Math.sign(slopeAt(end).first) !== -Math.sign(first)) return 1 / end;
		}
		if (first < 0) lo = beta;
		else hi = beta;
		const newton = beta - first / second;
		const next = newton > lo && newton < hi ? newton : Math.sqrt(lo * hi);
		const moved = Math.abs(next - beta);
		beta = next;
		if (moved <= RESOLUTION * beta) break;
	}
	return 1 / beta;
}
