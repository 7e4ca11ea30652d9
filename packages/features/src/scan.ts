import type { Cell } from '@steelyard/table';
import { type CellReading, numberOf, textOf } from './cells.js';
import { ColumnSample } from './column-sample.js';
import { dayPlace, hasOneOrder, secondsOf } from './dates.js';
import { ownText } from './own-text.js';
import { ListScan } from './sequences.js';
import { TextFilter } from './text-filter.js';
import { wordsOf } from './words-of.js';

/** Characters that tell values apart. */
const LONGEST = 200;
/** Rows of which each word is counted. */
const WORD_ROWS = 5000;
const EXAMPLES = 3;
const EXAMPLE_LENGTH = 60;
/** Texts among numbers that are remembered. */
const ODD = 20;

/** What the cells of a column are like. */
export class ColumnScan {
	rows = 0;
	missing = 0;
	/** Cells that are numbers, with either decimal mark, and those that are so with a comma alone. */
	numbers = 0;
	commaNumbers = 0;
	dotNumbers = 0;
	whole = 0;
	/** Whole numbers that begin with 0, as codes do. */
	zeroes = 0;
	dates = 0;
	dayFirst = 0;
	monthFirst = 0;
	/** What its lists are like; null where it has none. */
	lists: ListScan | null = null;
	words = 0;
	worded = 0;
	/** Each is the number before and one more. */
	ascending = true;
	#last = Number.NaN;
	readonly examples: string[] = [];
	/** Texts among the first cells that are no numbers. */
	readonly odd = new Map<string, number>();
	/** The different values that are told apart, by their places in `#counts`. */
	readonly #places = new Map<string, number>();
	readonly #counts: number[] = [];
	/** Once there are more than are told apart: what tells of most values that they are none of these, and how many such there were. */
	#filter: TextFilter | null = null;
	#others = 0;
	/** What its cells are in some rows. */
	readonly sample: ColumnSample;
	readonly #missing: ReadonlySet<string>;
	readonly #most: number;

	/** `missing`: texts that mean that nothing is there; `most`: how many different values are counted; `sampled`: of how many rows the cells are kept as numbers. */
	constructor(missing: ReadonlySet<string>, most: number, sampled: number) {
		this.#missing = missing;
		this.#most = most;
		this.sample = new ColumnSample(sampled);
	}

	/** Takes the cell of the next row. `slot` is the place of the row in the sample, where it takes one; else below 0. */
	add(cell: Cell, slot: number): void {
		if (slot >= 0) this.sample.clear(slot);
		this.rows++;
		if (typeof cell === 'object' && cell !== null && cell.length > 0) return this.#addList(cell);
		const text = textOf(cell, this.#missing);
		if (text === null) {
			this.missing++;
			return;
		}
		this.#addDistinct(text);
		const dot = typeof cell === 'number' ? cell : numberOf(text, '.');
		const number = Number.isNaN(dot) ? numberOf(text, ',') : dot;
		if (!Number.isNaN(number)) {
			this.numbers++;
			if (Number.isNaN(dot)) this.commaNumbers++;
			else if (text.includes('.')) this.dotNumbers++;
			if (Number.isInteger(number)) this.whole++;
			if (typeof cell === 'string' && text.startsWith('0') && /^0\d/.test(text)) this.zeroes++;
			if (slot >= 0)
				this.sample.putNumber(slot, number, Number.isNaN(dot) ? ',' : typeof cell === 'string' && text.includes('.') ? '.' : null);
			if (!(Number.isNaN(this.#last) || number === this.#last + 1)) this.ascending = false;
			this.#last = number;
			return;
		}
		this.ascending = false;
		if (this.odd.size < ODD || this.odd.has(text)) this.odd.set(ownText(text), (this.odd.get(text) ?? 0) + 1);
		const monthFirst = secondsOf(text, false);
		const isKnown = hasOneOrder(text) || (slot < 0 && !Number.isNaN(monthFirst));
		const dayFirst = isKnown ? monthFirst : secondsOf(text, true);
		if (slot >= 0) this.sample.putText(slot, text, { monthFirst, dayFirst });
		if (!Number.isNaN(monthFirst) || !Number.isNaN(dayFirst)) {
			this.dates++;
			const place = dayPlace(text);
			if (place === 'first') this.dayFirst++;
			if (place === 'second') this.monthFirst++;
		}
		if (this.worded < WORD_ROWS) {
			this.worded++;
			this.words += wordsOf(text);
		}
	}

	#addList(list: readonly Cell[]): void {
		this.lists ??= new ListScan();
		this.lists.add(list, this.rows - 1);
		if (this.examples.length < EXAMPLES) this.examples.push(JSON.stringify(list.slice(0, 8)).slice(0, EXAMPLE_LENGTH));
	}

	#addDistinct(text: string): void {
		if (this.examples.length < EXAMPLES) {
			const shown = text.length > EXAMPLE_LENGTH ? `${text.slice(0, EXAMPLE_LENGTH - 1)}…` : text;
			if (!this.examples.includes(shown)) this.examples.push(shown);
		}
		const key = text.slice(0, LONGEST);
		if (this.#filter?.mayHave(key) === false) {
			this.#others++;
			return;
		}
		const place = this.#places.get(key);
		if (place !== undefined) this.#counts[place] = (this.#counts[place] as number) + 1;
		else if (this.#places.size < this.#most) {
			this.#places.set(ownText(key), this.#counts.length);
			this.#counts.push(1);
		} else {
			this.#filter ??= new TextFilter(this.#places.keys());
			this.#others++;
		}
	}

	/** Cells that have a value. */
	get present(): number {
		return this.rows - this.missing;
	}

	/** The different values in the order in which they first occur; null where there are too many. */
	get distinct(): readonly string[] | null {
		return this.#others > 0 ? null : [...this.#places.keys()];
	}

	/** How many different values there are; null where there are too many. */
	get differentValues(): number | null {
		return this.#others > 0 ? null : this.#places.size;
	}

	/** How many cells have each value that is told apart, in the order in which these first occur; `others`: how many have none of them. */
	get valueCounts(): { counts: (readonly [value: string, count: number])[]; others: number } {
		const counts = [...this.#places].map(([value, place]) => [value, this.#counts[place] as number] as const);
		return { counts, others: this.#others };
	}

	/** The share of different values; at most so much where there are too many to count. */
	get differing(): number {
		return (this.#places.size + this.#others) / Math.max(1, this.present);
	}
}

/** How the cells of a column are read, by what they are like, unless the manifest says so. */
export const readingOf = (
	scan: ColumnScan,
	{ missing, decimal, dayFirst }: { missing: ReadonlySet<string>; decimal: '.' | ',' | undefined; dayFirst: boolean | undefined },
): CellReading => ({
	missing,
	decimal: decimal ?? (scan.commaNumbers > 0 && scan.dotNumbers === 0 ? ',' : '.'),
	dayFirst: dayFirst ?? (scan.dayFirst > 0 && scan.monthFirst === 0),
});

/** The seconds of a cell; NaN where it names no moment. */
export function cellSeconds(cell: Cell, { missing, dayFirst }: CellReading): number {
	const text = textOf(cell, missing);
	return text === null ? Number.NaN : secondsOf(text, dayFirst);
}
