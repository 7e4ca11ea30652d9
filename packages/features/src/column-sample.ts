import { wordsOf } from './words-of.js';

/** What a sampled cell is: nothing that counts, a number without a decimal mark, with a dot or with a comma, or another text. */
const IS = { nothing: 0, whole: 1, dot: 2, comma: 3, text: 4 } as const;

/** The numbers that some cells of a column may stand for, before it is known what the column is. */
export class ColumnSample {
	/** How many slots there are. */
	readonly most: number;
	readonly #is: Uint8Array;
	/** The number of each cell, or the seconds of a date whose month comes first. */
	readonly #numbers: Float64Array;
	/** The seconds of a date whose day comes first, and the words, of cells that are texts; null before there is one. */
	#texts: { readonly dayFirst: Float64Array; readonly words: Uint32Array } | null = null;

	constructor(most: number) {
		this.most = most;
		this.#is = new Uint8Array(most);
		this.#numbers = new Float64Array(most);
	}

	/** Empties a slot. */
	clear(slot: number): void {
		this.#is[slot] = IS.nothing;
	}

	/** Keeps a number, and the decimal mark that it is written with. */
	putNumber(slot: number, number: number, mark: '.' | ',' | null): void {
		this.#is[slot] = mark === null ? IS.whole : mark === '.' ? IS.dot : IS.comma;
		this.#numbers[slot] = number;
	}

	/** Keeps a text that is no number, and the seconds of the date that it is, where the month comes first and where the day does. */
	putText(slot: number, text: string, { monthFirst, dayFirst }: { monthFirst: number; dayFirst: number }): void {
		this.#texts ??= { dayFirst: new Float64Array(this.most), words: new Uint32Array(this.most) };
		this.#is[slot] = IS.text;
		this.#numbers[slot] = monthFirst;
		this.#texts.dayFirst[slot] = dayFirst;
		this.#texts.words[slot] = wordsOf(text);
	}

	#taken(of: (slot: number, is: number) => number): Float64Array {
		const found = new Float64Array(this.most);
		let count = 0;
		for (let slot = 0; slot < this.most; slot++) {
			const number = of(slot, this.#is[slot] as number);
			if (Number.isFinite(number)) found[count++] = number;
		}
		return found.subarray(0, count);
	}

	/** The numbers among the cells, as they are read. */
	numbers(decimal: '.' | ','): Float64Array {
		const marked = decimal === ',' ? IS.comma : IS.dot;
		return this.#taken((slot, is) => (is === IS.whole || is === marked ? (this.#numbers[slot] as number) : Number.NaN));
	}

	/** The seconds of the dates among the cells, as they are read. */
	seconds(dayFirst: boolean): Float64Array {
		const all = dayFirst ? this.#texts?.dayFirst : this.#numbers;
		return this.#taken((slot, is) => (is === IS.text ? (all?.[slot] as number) : Number.NaN));
	}

	/** How many words the cells have that are not empty. */
	words(): Float64Array {
		return this.#taken((slot, is) => (is === IS.nothing ? Number.NaN : is === IS.text ? (this.#texts?.words[slot] as number) : 1));
	}
}
