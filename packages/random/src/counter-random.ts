import { createHash } from 'node:crypto';

/** A stream of random numbers that is a pure function of its seed and of its purpose. */
export type CounterRandom = {
	/** Uniform over 0 … 2³²−1. */
	uint32(): number;
	/** So many of them as `out` has room for, as `uint32` would draw them one by one. */
	fill(out: Uint32Array): void;
	/** Uniform over [0, 1), 53 bits. */
	uniform(): number;
	/** Standard normal. */
	normal(): number;
	/** Uniform over 0 … n−1 without bias; 1 ≤ n ≤ 2³². */
	below(n: number): number;
};

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

/** High half of the 64-bit product of two 32-bit numbers, the first given by its halves. No sum in it needs more than 32 bits, so it is computed in integers. */
function highProduct(aHigh: number, aLow: number, b: number): number {
	const bHigh = b >>> 16;
	const bLow = b & 0xffff;
	const middle = (Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16)) | 0;
	const carry = (Math.imul(aLow, bHigh) + (middle & 0xffff)) | 0;
	return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (carry >>> 16)) | 0;
}

/**
 * Philox4x32-10: writes four random words for a counter of four words and a key of two into `out`.
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011.
 */
export function philox(counter: ArrayLike<number>, key: ArrayLike<number>, out: Uint32Array): void {
	let c0 = (counter[0] as number) | 0;
	let c1 = (counter[1] as number) | 0;
	let c2 = (counter[2] as number) | 0;
	let c3 = (counter[3] as number) | 0;
	let k0 = (key[0] as number) | 0;
	let k1 = (key[1] as number) | 0;
	for (let round = 0; round < 10; round++) {
		const high0 = highProduct(M0 >>> 16, M0 & 0xffff, c0);
		const high1 = highProduct(M1 >>> 16, M1 & 0xffff, c2);
		const low0 = Math.imul(M0, c0);
		const low1 = Math.imul(M1, c2);
		c0 = high1 ^ c1 ^ k0;
		c1 = low1;
		c2 = high0 ^ c3 ^ k1;
		c3 = low0;
		k0 = (k0 + W0) | 0;
		k1 = (k1 + W1) | 0;
	}
	out[0] = c0;
	out[1] = c1;
	out[2] = c2;
	out[3] = c3;
}

/**
 * The random numbers of one purpose, such as `shuffle/3` or `initialise/head.weight`. They come from Philox: its key is the seed (a whole number from 0 to
 * 2⁵³ − 1), its counter consists of the index of the block and 96 bits of the SHA-256 of `stream`. So two streams share no numbers, and what one stream gives
 * does not depend on what was drawn from another. A stream holds 2³⁴ words. Throws RangeError for another seed, and when a stream is used up.
 */
export function counterRandom(seed: number, stream: string | number): CounterRandom {
	if (!Number.isSafeInteger(seed) || seed < 0) throw new RangeError(`a seed is a whole number from 0 to 2^53 − 1, found ${seed}`);
	const key = Uint32Array.of(seed >>> 0, Math.floor(seed / 2 ** 32));
	const digest = createHash('sha256').update(String(stream)).digest();
	const counter = Uint32Array.of(0, digest.readUInt32LE(0), digest.readUInt32LE(4), digest.readUInt32LE(8));
	const words = new Uint32Array(4);
	let block = 0;
	let used = 4;
	let spare: number | null = null;

	const nextBlock = (): void => {
		if (block === 2 ** 32) throw new RangeError(`the random stream ${stream} is used up`);
		counter[0] = block++;
		philox(counter, key, words);
		used = 0;
	};
	const uint32 = (): number => {
		if (used === 4) nextBlock();
		return words[used++] as number;
	};
	const fill = (out: Uint32Array): void => {
		let at = 0;
		while (at < out.length && used < 4) out[at++] = words[used++] as number;
		for (; at + 4 <= out.length; at += 4) {
			nextBlock();
			used = 4;
			out[at] = words[0] as number;
			out[at + 1] = words[1] as number;
			out[at + 2] = words[2] as number;
			out[at + 3] = words[3] as number;
		}
		while (at < out.length) out[at++] = uint32();
	};
	const uniform = (): number => {
		const high = uint32() >>> 5;
		return (high * 2 ** 26 + (uint32() >>> 6)) / 2 ** 53;
	};
	// Box and Muller 1958; 1 − u lies in (0, 1], whose logarithm is finite.
	const normal = (): number => {
		if (spare !== null) {
			const value = spare;
			spare = null;
			return value;
		}
		const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
		const angle = 2 * Math.PI * uniform();
		spare = radius * Math.sin(angle);
		return radius * Math.cos(angle);
	};
	// Words at or above the largest multiple of n would favour small remainders.
	const below = (n: number): number => {
		if (!Number.isInteger(n) || n < 1 || n > 2 ** 32) throw new RangeError(`expected a bound from 1 to 2^32, found ${n}`);
		const limit = 2 ** 32 - (2 ** 32 % n);
		let word = uint32();
		while (word >= limit) word = uint32();
		return word % n;
	};
	return { uint32, fill, uniform, normal, below };
}
