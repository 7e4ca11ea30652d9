import { Growing } from './growing.js';
import { ownText } from './own-text.js';

/** The code of a row without a text, and of one whose text came after too many others. */
export const NONE = -1;
export const BEYOND = -2;

/** Texts of rows as numbers, equal ones as equal numbers, in the order in which they first occur. */
export class Codes {
	readonly #numbers = new Map<string, number>();
	readonly #codes = new Growing(new Int32Array());
	readonly #most: number;

	/** At most `most` different texts get a number. */
	constructor(most: number) {
		this.#most = most;
	}

	add(text: string | null): void {
		let code = text === null ? NONE : this.#numbers.get(text);
		if (code === undefined) {
			code = this.#numbers.size < this.#most ? this.#numbers.size : BEYOND;
			if (code !== BEYOND) this.#numbers.set(ownText(text as string), code);
		}
		this.#codes.push(code);
	}

	/** The code of each row. */
	get rows(): Int32Array {
		return this.#codes.values;
	}

	/** The text of each code. */
	get texts(): string[] {
		return [...this.#numbers.keys()];
	}
}
