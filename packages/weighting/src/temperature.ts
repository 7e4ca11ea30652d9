/** Temperatures are looked for between 1/20 and 20. */
export const TEMPERATURE_RANGE = [0.05, 20] as const;

/** Of ln T, where the search ends. */
const RESOLUTION = 1e-7;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * The temperature T in `TEMPERATURE_RANGE` that minimises a log loss of logits / T, by golden section over ln T. A log loss is convex in 1/T, so that it has
 * one valley in ln T. T is 1 where no other is better, as for logits that are all 0.
 *
 * @param loss of a temperature; finite
 */
export function bestTemperature(loss: (temperature: number) => number): number {
	let lo = Math.log(TEMPERATURE_RANGE[0]);
	let hi = Math.log(TEMPERATURE_RANGE[1]);
	const at = (t: number): number => loss(Math.exp(t));
	let left = hi - GOLDEN * (hi - lo);
	let right = lo + GOLDEN * (hi - lo);
	let lossLeft = at(left);
	let lossRight = at(right);
	while (hi - lo > RESOLUTION) {
		if (lossLeft <= lossRight) {
			hi = right;
			right = left;
			lossRight = lossLeft;
			left = hi - GOLDEN * (hi - lo);
			lossLeft = at(left);
		} else {
			lo = left;
			left = right;
			lossLeft = lossRight;
			right = lo + GOLDEN * (hi - lo);
			lossRight = at(right);
		}
	}
	const best = Math.exp((lo + hi) / 2);
	return loss(best) < loss(1) ? best : 1;
}
