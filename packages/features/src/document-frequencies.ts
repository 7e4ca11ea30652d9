import { byCount } from './by-count.js';
import { ownText } from './own-text.js';

/** The number of no word: the second of a term that is one word alone. */
const NONE = 0;
/** Places of the table at first; a power of 2. */
const PLACES = 2 ** 12;

const hashOf = (first: number, second: number): number => {
	let hash = Math.imul(first, 0x9e3779b1) ^ Math.imul(second + 1, 0x85ebca6b);
	hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
	return hash ^ (hash >>> 13);
};

/** Terms by the numbers of their words: a hash table with open addressing. A place is free where it has no first word. */
type Terms = {
	readonly first: Int32Array;
	readonly second: Int32Array;
	/** How many rows have the term, and the last one that did. */
	readonly counts: Int32Array;
	readonly rows: Int32Array;
};

const emptyTerms = (places: number): Terms => ({
	first: new Int32Array(places),
	second: new Int32Array(places),
	counts: new Int32Array(places),
	rows: new Int32Array(places),
});

/** The place of a term, or the free one where it belongs. */
function placeOf({ first, second }: Terms, a: number, b: number): number {
	const mask = first.length - 1;
	let place = hashOf(a, b) & mask;
	while (first[place] !== NONE && (first[place] !== a || second[place] !== b)) place = (place + 1) & mask;
	return place;
}

/**
 * How many rows have each term: a word, or with `pairs` two words that follow each other. Where there are more than `most` terms, those that the fewest rows have are
 * forgotten. A text of twenty words has twice as many terms, so words are numbers here, and terms lie in arrays.
 */
export class DocumentFrequencies {
	/** Rows that have a word. */
	rows = 0;
	readonly #most: number;
	readonly #pairs: boolean;
	/** The numbers of words, from 1. */
	#numbers = new Map<string, number>();
	#terms = emptyTerms(PLACES);
	#size = 0;
	#forgotten = 0;

	constructor(most: number, pairs: boolean) {
		this.#most = most;
		this.#pairs = pairs;
	}

	/** Takes in the words of a row. */
	add(words: readonly string[]): void {
		if (words.length === 0) return;
		this.rows++;
		let before = NONE;
		for (const word of words) {
			const number = this.#numberOf(word);
			this.#count(number, NONE);
			if (this.#pairs && before !== NONE) this.#count(before, number);
			before = number;
		}
		while (this.#size > this.#most) this.#rebuild(this.#terms.first.length, ++this.#forgotten);
	}

	/** The `most` terms that most rows have, of those that at least `least` rows have, each with their number; the most frequent first. */
	often(least: number, most: number): [string, number][] {
		const { first, second, counts } = this.#terms;
		const sorted = counts.filter((count) => count >= least).sort();
		const fewest = sorted.at(-most) ?? least;
		const words = ['', ...this.#numbers.keys()];
		const found: [string, number][] = [];
		counts.forEach((count, place) => {
			if (count === 0 || count < fewest) return;
			const [a, b] = [first[place] as number, second[place] as number];
			found.push([b === NONE ? (words[a] as string) : `${words[a]} ${words[b]}`, count]);
		});
		return found.sort(byCount).slice(0, most);
	}

	#numberOf(word: string): number {
		const known = this.#numbers.get(word);
		if (known !== undefined) return known;
		const number = this.#numbers.size + 1;
		this.#numbers.set(ownText(word), number);
		return number;
	}

	#count(a: number, b: number): void {
		const place = placeOf(this.#terms, a, b);
		const { first, second, counts, rows } = this.#terms;
		if (rows[place] === this.rows) return;
		rows[place] = this.rows;
		counts[place] = (counts[place] as number) + 1;
		if (first[place] !== NONE) return;
		first[place] = a;
		second[place] = b;
		this.#size++;
		if (2 * this.#size > first.length) this.#rebuild(2 * first.length, 0);
	}

	/** Puts the terms that more than `forgotten` rows have into a table of so many places, and numbers their words anew where some go. */
	#rebuild(places: number, forgotten: number): void {
		const { first, second, counts, rows } = this.#terms;
		const numbers = forgotten === 0 ? null : this.#keepWords(forgotten);
		const terms = emptyTerms(places);
		this.#size = 0;
		for (let from = 0; from < first.length; from++) {
			if ((counts[from] as number) <= forgotten) continue;
			const [a, b] = [first[from] as number, second[from] as number];
			const [newA, newB] = numbers === null ? [a, b] : [numbers[a] as number, numbers[b] as number];
			const to = placeOf(terms, newA, newB);
			terms.first[to] = newA;
			terms.second[to] = newB;
			terms.counts[to] = counts[from] as number;
			terms.rows[to] = rows[from] as number;
			this.#size++;
		}
		this.#terms = terms;
	}

	/** Forgets the words of which no term is left that more than `forgotten` rows have. Gives the new number of each by the one before. */
	#keepWords(forgotten: number): Int32Array {
		const { first, second, counts } = this.#terms;
		const numbers = new Int32Array(this.#numbers.size + 1);
		counts.forEach((count, place) => {
			if (count <= forgotten) return;
			numbers[first[place] as number] = 1;
			numbers[second[place] as number] = 1;
		});
		numbers[NONE] = NONE;
		const kept = new Map<string, number>();
		for (const [word, number] of this.#numbers) {
			if (numbers[number] === 0) continue;
			numbers[number] = kept.size + 1;
			kept.set(word, kept.size + 1);
		}
		this.#numbers = kept;
		return numbers;
	}
}
