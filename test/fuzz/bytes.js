// Random choices, and mutations of the bytes of any file. Everything is a function of the seed.

/** mulberry32. */
export function random(seed) {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = Math.imul(state ^ (state >>> 15), 1 | state);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
	};
}

export const below = (next, n) => Math.floor(next() * n);
export const pick = (next, list) => list[below(next, list.length)];
/** Numbers at which sizes, lengths and indices go wrong. */
export const ODD = [0, 1, -1, 2, 3, 7, 255, 65_536, 2 ** 31 - 1, -(2 ** 31), 2 ** 40];

const mutations = {
	flip(bytes, next) {
		const out = Buffer.from(bytes);
		for (let n = 1 + below(next, 8); n > 0; n--) out[below(next, out.length)] ^= 1 << below(next, 8);
		return out;
	},
	overwrite(bytes, next) {
		const out = Buffer.from(bytes);
		const start = below(next, out.length);
		for (let i = start; i < Math.min(out.length, start + 1 + below(next, 16)); i++) out[i] = below(next, 256);
		return out;
	},
	truncate: (bytes, next) => Buffer.from(bytes.slice(0, below(next, bytes.length))),
	remove(bytes, next) {
		const start = below(next, bytes.length);
		return Buffer.concat([bytes.subarray(0, start), bytes.subarray(start + 1 + below(next, 32))]);
	},
	repeat(bytes, next) {
		const start = below(next, bytes.length);
		const end = Math.min(bytes.length, start + 1 + below(next, 64));
		return Buffer.concat([bytes.subarray(0, end), bytes.subarray(start)]);
	},
};

/** `bytes` with some of them changed, left out or repeated. */
export const changedBytes = (bytes, next) => pick(next, Object.values(mutations))(bytes, next);
