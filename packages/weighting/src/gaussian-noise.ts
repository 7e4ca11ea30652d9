/**
 * Standard normal noise, `[count]`, as a function of (seed, stream, index) alone: equal arguments give equal bits, whatever was drawn before. Meant for
 * breaking ties; not for cryptography.
 *
 * @param seed an integer
 * @param stream an integer that tells independent sequences of one seed apart
 */
export function gaussianNoise(count: number, seed: number, stream: number): Float64Array {
	const key = mix((mix(seed) ^ mix(Math.floor(seed / 2 ** 32) + 0x9e3779b9)) + Math.imul(stream + 1, 0x85ebca6b));
	const noise = new Float64Array(count);
	for (let i = 0; i < count; i++) {
		// Box–Muller; u is in (0, 1], so that its logarithm is finite.
		const u = (mix(mix(2 * i) ^ key) + 1) / 2 ** 32;
		const v = mix(mix(2 * i + 1) ^ key) / 2 ** 32;
		noise[i] = Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v);
	}
	return noise;
}

/** A bijection of 32-bit integers whose output bits each depend on every input bit: `lowbias32` of C. Wellons' hash-prospector (public domain). */
function mix(value: number): number {
	let h = value | 0;
	h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
	h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
	return (h ^ (h >>> 16)) >>> 0;
}
