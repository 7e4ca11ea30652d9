import { readFileSync } from 'node:fs';
import { linearCongruential } from '../../../test/oracles/linear-congruential.js';

/** A fixture written by test/oracles/weighting.py. */
export function fixture<T>(name: string): T {
	return JSON.parse(readFileSync(new URL(`./fixtures/${name}.json`, import.meta.url), 'utf8')) as T;
}

/** The largest |found − expected| / max(1, |expected|); infinite where a number is missing or NaN. */
export function largestError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
	if (found.length !== expected.length) return Infinity;
	let worst = 0;
	for (let i = 0; i < expected.length; i++) {
		const error = Math.abs(found[i]! - expected[i]!) / Math.max(1, Math.abs(expected[i]!));
		worst = Number.isNaN(error) ? Infinity : Math.max(worst, error);
	}
	return worst;
}

/** Seeded uniform numbers in [0, 1): the sequence of `hashed` in test/oracles/weighting.py. */
export function hashed(count: number, stream: number): Float64Array {
	const next = linearCongruential(stream);
	return Float64Array.from({ length: count }, () => next() / 2 ** 32);
}

/** Seeded standard normal numbers, by Box–Muller on `Math.imul` hashes that share nothing with the package's own noise. */
export function normals(count: number, stream: number): Float64Array {
	const u = hashed(2 * count, (stream * 2654435761) >>> 0);
	return Float64Array.from({ length: count }, (_, i) => Math.sqrt(-2 * Math.log(1 - u[2 * i]!)) * Math.cos(2 * Math.PI * u[2 * i + 1]!));
}
