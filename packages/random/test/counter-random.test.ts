import { describe, expect, it } from 'vitest';
import { philox } from '../src/counter-random.js';
import { counterRandom, shuffledOrder } from '../src/index.js';

const words = (hex: string): number[] => hex.split(' ').map((word) => Number.parseInt(word, 16));

describe('the counter-based generator', () => {
	// kat_vectors of Random123, philox4x32 with 10 rounds.
	it.each([
		['00000000 00000000 00000000 00000000', '00000000 00000000', '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
		['ffffffff ffffffff ffffffff ffffffff', 'ffffffff ffffffff', '408f276d 41c83b0e a20bc7c6 6d5451fd'],
		['243f6a88 85a308d3 13198a2e 03707344', 'a4093822 299f31d0', 'd16cfe09 94fdcceb 5001e420 24126ea1'],
	])('agrees with the published answers for counter %s', (counter, key, answer) => {
		const out = new Uint32Array(4);
		philox(words(counter), words(key), out);
		expect([...out]).toEqual(words(answer));
	});

	it('repeats for one seed and stream, and differs for another of either', () => {
		const draw = (seed: number, stream: string | number) => {
			const random = counterRandom(seed, stream);
			return Array.from({ length: 9 }, () => random.uint32());
		};
		expect(draw(7, 'a')).toEqual(draw(7, 'a'));
		expect(draw(7, 'a')).not.toEqual(draw(8, 'a'));
		expect(draw(7, 'a')).not.toEqual(draw(7, 'b'));
		expect(draw(7, 'a')).not.toEqual(draw(7 + 2 ** 32, 'a'));
		expect(new Set(draw(7, 3)).size).toBe(9);
	});

	it('fills an array with the words that it would draw one by one, wherever it stands in a block', () => {
		for (const before of [0, 1, 3])
			for (const length of [0, 1, 2, 5, 11]) {
				const [filling, drawing] = [counterRandom(7, 'a'), counterRandom(7, 'a')];
				for (let i = 0; i < before; i++) expect(filling.uint32()).toBe(drawing.uint32());
				const filled = new Uint32Array(length);
				filling.fill(filled);
				expect([...filled]).toEqual(Array.from({ length }, () => drawing.uint32()));
				expect(filling.uint32()).toBe(drawing.uint32());
			}
	});

	it('draws uniform and normal numbers of the right mean and variance', () => {
		const n = 200_000;
		const random = counterRandom(1, 'moments');
		let [u, uu, z, zz] = [0, 0, 0, 0];
		for (let i = 0; i < n; i++) {
			const uniform = random.uniform();
			const normal = random.normal();
			if (uniform < 0 || uniform >= 1) throw new Error(`${uniform}`);
			u += uniform;
			uu += (uniform - 0.5) ** 2;
			z += normal;
			zz += normal ** 2;
		}
		// Five standard errors: sqrt(1/12n), sqrt(1/180n), sqrt(1/n), sqrt(2/n).
		const error = 5 / Math.sqrt(n);
		expect(Math.abs(u / n - 0.5)).toBeLessThan(error * Math.sqrt(1 / 12));
		expect(Math.abs(uu / n - 1 / 12)).toBeLessThan(error * Math.sqrt(1 / 180));
		expect(Math.abs(z / n)).toBeLessThan(error);
		expect(Math.abs(zz / n - 1)).toBeLessThan(error * Math.SQRT2);
	});

	it('draws below a bound without bias, also where the bound is no power of two', () => {
		const random = counterRandom(2, 'below');
		const bound = 3 * 2 ** 30;
		const counts = [0, 0, 0];
		const n = 30_000;
		for (let i = 0; i < n; i++) counts[Math.floor(random.below(bound) / 2 ** 30)]!++;
		// A plain remainder would give shares of 1/2, 1/4, 1/4. Chi-squared with 2 degrees of freedom exceeds 18.4 once in 10,000.
		const chi = counts.reduce((sum, count) => sum + (count - n / 3) ** 2 / (n / 3), 0);
		expect(chi).toBeLessThan(18.4);
		expect(() => random.below(0)).toThrow(RangeError);
	});

	it('refuses a seed that is not a whole number from 0', () => {
		expect(() => counterRandom(-1, 'a')).toThrow(RangeError);
		expect(() => counterRandom(0.5, 'a')).toThrow(RangeError);
	});
});

describe('the shuffled order', () => {
	it('is a permutation that depends on seed and epoch alone', () => {
		const order = shuffledOrder(1, 2, 1000);
		expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
		expect(shuffledOrder(1, 2, 1000)).toEqual(order);
		expect(shuffledOrder(1, 3, 1000)).not.toEqual(order);
		expect(shuffledOrder(2, 2, 1000)).not.toEqual(order);
		expect([shuffledOrder(1, 1, 0).length, shuffledOrder(1, 1, 1).length]).toEqual([0, 1]);
	});

	it('has every permutation equally often', () => {
		const counts = new Map<string, number>();
		const n = 12_000;
		for (let epoch = 0; epoch < n; epoch++) {
			const order = shuffledOrder(5, epoch, 4).join();
			counts.set(order, (counts.get(order) ?? 0) + 1);
		}
		expect(counts.size).toBe(24);
		// Chi-squared with 23 degrees of freedom exceeds 55 about once in 5,000.
		const chi = [...counts.values()].reduce((sum, count) => sum + (count - n / 24) ** 2 / (n / 24), 0);
		expect(chi).toBeLessThan(55);
	});
});
