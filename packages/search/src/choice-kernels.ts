import type { Json } from '@steelyard/contracts';
import type { Kernels } from './kernels.js';
import { type Choice, placeOf } from './space.js';

/**
 * The kernels of a choice of C values after n observations: kernel k gives each value 1/(n + 1), that of observation k one more, divided by the sum. The prior
 * gives each value 1/C.
 */
export function choiceKernels(choice: Choice, observed: readonly Json[]): Kernels {
	const count = choice.values.length;
	const places = observed.map((value) => placeOf(choice, value));
	const share = 1 / (observed.length + 1);
	const sum = 1 + count * share;
	return {
		draw(k, random) {
			const place = places[k];
			// One of the C shares that all values have, or the one more of the value that was observed.
			const isShare = place === undefined || random.uniform() * sum >= 1;
			return choice.values[isShare ? random.below(count) : place] as Json;
		},
		logDensityAt(value) {
			const at = placeOf(choice, value);
			return (k) => {
				const place = places[k];
				return place === undefined ? -Math.log(count) : Math.log((share + (at === place ? 1 : 0)) / sum);
			};
		},
	};
}
