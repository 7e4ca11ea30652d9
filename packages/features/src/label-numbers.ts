import { numberOf } from './cells.js';
import { Growing } from './growing.js';

/** With which decimal marks a text is a number. */
const WITH = { either: 0, dot: 1, comma: 2 };

/** Labels of rows as numbers, whose decimal mark is known later. */
export class LabelNumbers {
	readonly #numbers = new Growing(new Float64Array());
	readonly #marks = new Growing(new Uint8Array());

	/** Takes in the label of a row; null where it has none. */
	add(text: string | null): void {
		const dot = text === null ? Number.NaN : numberOf(text, '.');
		const comma = text === null ? Number.NaN : numberOf(text, ',');
		this.#numbers.push(Number.isNaN(dot) ? comma : dot);
		this.#marks.push(Number.isNaN(dot) ? WITH.comma : Number.isNaN(comma) ? WITH.dot : WITH.either);
	}

	/** The number of each row; NaN for a text that is none with that decimal mark. */
	with(decimal: '.' | ','): Float64Array {
		const marks = this.#marks.values;
		const other = decimal === '.' ? WITH.comma : WITH.dot;
		return this.#numbers.values.map((number, row) => (marks[row] === other ? Number.NaN : number));
	}
}
