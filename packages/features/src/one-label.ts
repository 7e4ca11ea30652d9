import type { Cell } from '@steelyard/table';
import { type CellReading, textOf } from './cells.js';
import { BEYOND, Codes, NONE } from './codes.js';
import { LabelNumbers } from './label-numbers.js';
import { classRefusal, type LabelColumns, type LabelReader, labelRefusal, MOST_LABELS, type RowLabels } from './row-labels.js';
import { numberText, type Task } from './task.js';

/** A column that has one label in a cell: a class, or a value, with a decimal mark that is known later. */
export class OneLabel implements LabelReader {
	readonly #name: string;
	readonly #missing: ReadonlySet<string>;
	readonly #codes = new Codes(MOST_LABELS);
	#numbers = new LabelNumbers();

	constructor({ names: [name = ''], missing }: LabelColumns) {
		this.#name = name;
		this.#missing = missing;
	}

	add([cell = null]: readonly Cell[], row: number): void {
		if (typeof cell === 'object' && cell !== null)
			throw labelRefusal(this.#name, row, 'one label, as rows before have', `a list of ${cell.length}`);
		const text = textOf(cell, this.#missing);
		this.#codes.add(text);
		this.#numbers.add(text);
	}

	several(): null {
		return null;
	}

	labels({ classes, numeric }: Task, reading: CellReading): RowLabels {
		if (classes === null) return { values: this.#numbers.with(reading.decimal), flags: null };
		// Nine bytes a row that are of no use to classes.
		this.#numbers = new LabelNumbers();
		const places = new Map(classes.map((text, place) => [text, place]));
		const { texts } = this.#codes;
		const classOf = texts.map((text) => places.get(text) ?? (numeric ? places.get(numberText(text, reading)) : undefined));
		const { rows } = this.#codes;
		const values = new Float64Array(rows.length).map((_, row) => {
			const code = rows[row] as number;
			if (code === NONE) return Number.NaN;
			const found = code === BEYOND ? undefined : classOf[code];
			if (found === undefined) throw classRefusal(this.#name, row, classes, texts[code] ?? 'another');
			return found;
		});
		return { values, flags: null };
	}
}
