/**
 * The generator from which the oracles in this folder draw where a test repeats their numbers instead of reading them from a file: the linear congruential one of
 * Numerical Recipes. Gives numbers of 32 bits. Other tests draw from `@steelyard/random`.
 */
export function linearCongruential(seed: number): () => number {
	let state = seed;
	return () => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return state;
	};
}
