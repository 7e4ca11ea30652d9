import { type Tensor, tensor } from '@steelyard/runtime';
import type { Cell } from '@steelyard/table';
import { listFault, type SequenceForm } from './sequences.js';

/** What is wrong with a list that is fed to a graph: in which of the rows that are fed, what was expected and what was found. */
export class FedListError extends Error {
	override readonly name = 'FedListError';
	readonly row: number;
	readonly column: string;
	readonly expected: string;
	readonly found: string;

	constructor(row: number, column: string, { expected, found }: { expected: string; found: string }) {
		super(`column ${JSON.stringify(column)}, row ${row}: expected ${expected}, found ${found}`);
		this.row = row;
		this.column = column;
		this.expected = expected;
		this.found = found;
	}
}

/** What is wrong with a cell that stands for a sequence; null for a list that fits, or for nothing. */
function faultOf(cell: Cell, { steps, features }: SequenceForm): { expected: string; found: string } | null {
	if (cell === null) return null;
	if (typeof cell !== 'object') return { expected: 'a list of numbers', found: JSON.stringify(cell).slice(0, 60) };
	if (cell.length > steps) return { expected: `at most ${steps} steps, which the model takes`, found: `${cell.length}` };
	const fault = listFault(cell, features);
	return fault === null ? null : { expected: `${fault.expected} as ${fault.at}`, found: fault.found };
}

/**
 * Lists of a column as a graph takes them: `values` `[rows, steps]`, or `[rows, steps, features]` where each step is a list, float64, filled up with zeros; `mask`
 * `[rows, steps]` float32, 1 for a step that is there. Throws FedListError for a list that does not fit.
 */
export function feedSequence(column: string, cells: readonly Cell[], form: SequenceForm): { values: Tensor; mask: Tensor } {
	const { steps, features } = form;
	const width = features ?? 1;
	const values = new Float64Array(cells.length * steps * width);
	const mask = new Float32Array(cells.length * steps);
	for (const [row, cell] of cells.entries()) {
		const fault = faultOf(cell, form);
		if (fault !== null) throw new FedListError(row, column, fault);
		if (typeof cell !== 'object' || cell === null) continue;
		values.set((features === null ? cell : cell.flat()) as number[], row * steps * width);
		mask.fill(1, row * steps, row * steps + cell.length);
	}
	return {
		values: tensor('float64', features === null ? [cells.length, steps] : [cells.length, steps, features], values),
		mask: tensor('float32', [cells.length, steps], mask),
	};
}
