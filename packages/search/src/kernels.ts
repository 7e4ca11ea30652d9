import type { Json } from '@steelyard/contracts';
import type { CounterRandom } from '@steelyard/random';

/** The kernels of one dimension: one for each observation, oldest first, and behind them that of the prior. */
export type Kernels = {
	/** A value that is drawn from kernel k. */
	draw(k: number, random: CounterRandom): Json;
	/** The logarithm of the density of each kernel k at a value, on the scale of the dimension; of a choice and of an int it is that of a probability. */
	logDensityAt(value: Json): (k: number) => number;
};
