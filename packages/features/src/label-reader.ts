import type { Cell } from '@steelyard/table';
import { textOf } from './cells.js';
import { LabelFlags } from './label-flags.js';
import { LabelSets } from './label-sets.js';
import { OneLabel } from './one-label.js';
import type { LabelColumns, LabelReader, RowLabels } from './row-labels.js';
import type { Several } from './task.js';

/** Labels of one column, of which the first cell that has something says whether rows have several. */
class FirstSays implements LabelReader {
	#reader: LabelReader | null = null;
	/** Rows so far without a label. */
	#before = 0;
	readonly #columns: LabelColumns;

	constructor(columns: LabelColumns) {
		this.#columns = columns;
	}

	#begin(cell: Cell): LabelReader {
		const isSeveral = this.#columns.separator !== undefined || typeof cell === 'object';
		const reader = isSeveral ? new LabelSets(this.#columns) : new OneLabel(this.#columns);
		for (let row = 0; row < this.#before; row++) reader.add([null], row);
		this.#reader = reader;
		return reader;
	}

	add(cells: readonly Cell[], row: number): void {
		if (this.#reader !== null) return this.#reader.add(cells, row);
		const cell = cells[0] ?? null;
		const isMissing = cell === null || (typeof cell !== 'object' && textOf(cell, this.#columns.missing) === null);
		if (isMissing) this.#before++;
		else this.#begin(cell).add(cells, row);
	}

	get #begun(): LabelReader {
		return this.#reader ?? this.#begin('');
	}

	several(): Several | null {
		return this.#begun.several();
	}

	labels(...how: Parameters<LabelReader['labels']>): RowLabels {
		return this.#begun.labels(...how);
	}
}

/** What reads the labels of a table: one column of one or several labels a cell, or several columns of 0 and 1. */
export const labelReader = (columns: LabelColumns): LabelReader =>
	columns.names.length === 1 ? new FirstSays(columns) : new LabelFlags(columns);
