import type { Cell } from '@steelyard/table';
import { textOf } from './cells.js';
import { BEYOND, Codes, NONE } from './codes.js';
import { Growing } from './growing.js';
import { classRefusal, emptyFlags, type LabelColumns, type LabelReader, labelRefusal, MOST_LABELS, type RowLabels } from './row-labels.js';
import type { Several, Task } from './task.js';

/** A column that has several labels in a cell: a list, or a text with a separator between them. An empty list is a row without any of the labels. */
export class LabelSets implements LabelReader {
	readonly #name: string;
	readonly #missing: ReadonlySet<string>;
	readonly #separator: string | undefined;
	/** The labels of all rows, one after the other, and where those of each row end. */
	readonly #codes = new Codes(MOST_LABELS);
	readonly #ends = new Growing(new Int32Array());
	#count = 0;

	constructor({ names: [name = ''], missing, separator }: LabelColumns) {
		this.#name = name;
		this.#missing = missing;
		this.#separator = separator;
	}

	#add(label: string | null): void {
		this.#codes.add(label);
		this.#count++;
	}

	add([cell = null]: readonly Cell[], row: number): void {
		if (typeof cell === 'object' && cell !== null) for (const item of cell) this.#add(this.#labelOf(item, row));
		else {
			const text = textOf(cell, this.#missing);
			if (text === null) this.#add(null);
			else if (this.#separator === undefined)
				throw labelRefusal(this.#name, row, 'a list of labels, as rows before have', JSON.stringify(text.slice(0, 60)));
			else for (const part of text.split(this.#separator)) if (part.trim() !== '') this.#add(part.trim());
		}
		this.#ends.push(this.#count);
	}

	#labelOf(item: Cell, row: number): string {
		const text = typeof item === 'string' ? item.trim() : typeof item === 'number' ? String(item) : '';
		if (text !== '') return text;
		const found = item === null ? 'null' : typeof item === 'object' ? 'a list' : 'an empty text';
		throw labelRefusal(this.#name, row, 'a list of labels, each a text or a number', `${found} in it`);
	}

	several(): Several {
		return { by: 'cells', labels: this.#codes.texts };
	}

	labels({ classes }: Task): RowLabels {
		const names = classes ?? [];
		const places = new Map(names.map((text, place) => [text, place]));
		const { texts, rows: codes } = this.#codes;
		const classOf = texts.map((text) => places.get(text));
		const rows = this.#ends.length;
		const flags = emptyFlags(rows, names.length);
		const values = new Float64Array(rows);
		let at = 0;
		this.#ends.values.forEach((end, row) => {
			for (; at < end; at++) {
				const code = codes[at] as number;
				const place = code === BEYOND ? undefined : classOf[code];
				if (code === NONE) values[row] = Number.NaN;
				else if (place === undefined) throw classRefusal(this.#name, row, names, texts[code] ?? 'another');
				else flags[row * names.length + place] = 1;
			}
		});
		return { values, flags };
	}
}
