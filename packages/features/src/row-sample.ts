import { counterRandom } from '@steelyard/random';

/** Draws rows at random, of which nobody knows beforehand how many there will be: the same of equal tables (Li 1994, "Reservoir-sampling algorithms of time complexity O(n(1 + log(N/n)))", algorithm L). */
export class RowSample {
	readonly #random = counterRandom(1, 'sampled-rows');
	readonly #most: number;
	#rows = 0;
	/** The next row that takes a slot once all are taken, and W of the algorithm, the largest of the random keys that the rows in the slots have. */
	#next: number;
	#largest = 1;

	/** At most `most` rows are drawn, at least one. */
	constructor(most: number) {
		this.#most = most;
		this.#next = most - 1;
		this.#skip();
	}

	/** Uniform over (0, 1), 32 bits. */
	#uniform(): number {
		return (this.#random.uint32() + 0.5) / 2 ** 32;
	}

	/** Draws which row is the next one that takes a slot. */
	#skip(): void {
		this.#largest *= Math.exp(Math.log(this.#uniform()) / this.#most);
		this.#next += Math.floor(Math.log(this.#uniform()) / Math.log1p(-this.#largest)) + 1;
	}

	/** The slot that the next row takes among those that are drawn, in place of the row that had it; below 0 where it takes none. */
	next(): number {
		const row = this.#rows++;
		if (row < this.#most) return row;
		if (row < this.#next) return -1;
		this.#skip();
		return Math.floor(this.#uniform() * this.#most);
	}
}
