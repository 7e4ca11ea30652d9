import { type CounterRandom, counterRandom } from './counter-random.js';

/** Puts `items` in a random order, in place, and returns them: each permutation is equally likely (Durstenfeld 1964, after Fisher and Yates). */
export function shuffle(items: Uint32Array, random: CounterRandom): Uint32Array {
	for (let last = items.length - 1; last > 0; last--) {
		const other = random.below(last + 1);
		const value = items[last] as number;
		items[last] = items[other] as number;
		items[other] = value;
	}
	return items;
}

/** The order of `n` rows in an epoch: a permutation of 0 … n−1 that depends on `seed`, `epoch` and `n` alone. */
export const shuffledOrder = (seed: number, epoch: number, n: number): Uint32Array =>
	shuffle(
		Uint32Array.from({ length: n }, (_, i) => i),
		counterRandom(seed, `shuffle/${epoch}`),
	);
