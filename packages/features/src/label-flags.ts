import type { Cell } from '@steelyard/table';
import { numberOf, textOf } from './cells.js';
import { Growing } from './growing.js';
import { emptyFlags, type LabelColumns, type LabelReader, labelRefusal, type RowLabels } from './row-labels.js';
import type { Several } from './task.js';

/** Words for 1 and 0, in lower case. */
const WORDS: ReadonlyMap<string, 0 | 1> = new Map([
	['true', 1],
	['yes', 1],
	['false', 0],
	['no', 0],
]);

/** 1 or 0; undefined for another text. */
function flagOf(text: string): 0 | 1 | undefined {
	const number = numberOf(text, '.');
	return number === 0 || number === 1 ? number : WORDS.get(text.toLowerCase());
}

/** Several columns, each of which says by 1 or 0 whether a row has the label that it is called after. A row has no labels where one of them is missing. */
export class LabelFlags implements LabelReader {
	readonly #names: readonly string[];
	readonly #missing: ReadonlySet<string>;
	/** `[rows, columns]`. */
	readonly #flags = new Growing(new Uint8Array());
	/** The rows that have no labels. */
	readonly #lacking = new Growing(new Int32Array());

	constructor({ names, missing }: LabelColumns) {
		this.#names = names;
		this.#missing = missing;
	}

	add(cells: readonly Cell[], row: number): void {
		let isWhole = true;
		for (const [i, name] of this.#names.entries()) {
			const cell = cells[i] ?? null;
			const text = textOf(cell, this.#missing);
			const isList = typeof cell === 'object' && cell !== null;
			const flag = isList ? undefined : text === null ? 0 : flagOf(text);
			if (flag === undefined)
				throw labelRefusal(
					name,
					row,
					'0 or 1, true or false, or yes or no, as each of several columns of labels has',
					isList ? 'a list' : JSON.stringify(text?.slice(0, 60)),
				);
			this.#flags.push(flag);
			isWhole &&= text !== null;
		}
		if (!isWhole) this.#lacking.push(row);
	}

	several(): Several {
		return { by: 'columns', labels: this.#names };
	}

	labels(): RowLabels {
		const rows = this.#flags.length / this.#names.length;
		const flags = emptyFlags(rows, this.#names.length);
		flags.set(this.#flags.values);
		const values = new Float64Array(rows);
		for (const row of this.#lacking.values) values[row] = Number.NaN;
		return { values, flags };
	}
}
