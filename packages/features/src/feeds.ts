import { type StringTensor, type Tensor, tensor } from '@steelyard/runtime';
import type { Cell } from '@steelyard/table';
import { type CellReading, cellNumber, textOf } from './cells.js';
import type { Feature } from './featuriser.js';
import { feedSequence } from './feed-sequence.js';
import { cellSeconds } from './scan.js';
import type { SequenceForm } from './sequences.js';

/** A column that is fed to a graph: its name and that of its input, its place in a row, and how its cells are read. `size`: of lists, the numbers of each. */
export type FedColumn = {
	readonly column: string;
	readonly input: string;
	readonly place: number;
	readonly kind: Feature['kind'];
	readonly reading: CellReading;
	readonly size?: number;
	/** Of sequences, the form of the lists and the name of the input for their mask. */
	readonly sequence?: SequenceForm & { readonly mask: string };
};

/** The text of a category as it stands, with the spaces that it has. */
export const categoryText = (cell: Cell): string =>
	typeof cell === 'string' ? cell : cell === null || typeof cell === 'object' ? '' : String(cell);

/** The text of a cell of text; '' where nothing is there. */
export const plainText = (cell: Cell, { missing }: CellReading): string => (textOf(cell, missing) === null ? '' : categoryText(cell));

/** An infinite number counts as a missing one. */
const finite = (value: number): number => (Number.isFinite(value) ? value : Number.NaN);

/** What a graph takes of one column of some rows. */
function feedOf(rows: readonly (readonly Cell[])[], { column, place, kind, reading, size = 1 }: FedColumn): Tensor | StringTensor {
	const n = rows.length;
	const cell = (row: readonly Cell[]): Cell => row[place] ?? null;
	switch (kind) {
		case 'number':
			return tensor(
				'float64',
				[n],
				Float64Array.from(rows, (row) => finite(cellNumber(cell(row), reading))),
			);
		case 'date':
			return tensor(
				'float64',
				[n],
				Float64Array.from(rows, (row) => cellSeconds(cell(row), reading)),
			);
		case 'category':
			return { dtype: 'string', shape: [n], data: rows.map((row) => categoryText(cell(row))) };
		case 'text':
		case 'tokens':
			return { dtype: 'string', shape: [n], data: rows.map((row) => plainText(cell(row), reading)) };
		case 'vector': {
			const values = new Float64Array(n * size).fill(Number.NaN);
			rows.forEach((row, i) => {
				const list = cell(row);
				if (typeof list !== 'object' || list === null) return;
				for (let k = 0; k < Math.min(size, list.length); k++) values[i * size + k] = finite(Number(list[k] ?? Number.NaN));
			});
			return tensor('float64', [n, size], values);
		}
		case 'sequence':
			throw new Error(`column ${column} has no form of a sequence`);
	}
}

/** A cell that should be a list; null where nothing is there. */
const listOf = (cell: Cell, { missing }: CellReading): Cell => (typeof cell === 'object' || textOf(cell, missing) !== null ? cell : null);

/** What a graph takes of some rows, by the names of its inputs. Throws FedListError for a list that is no sequence of the form that the graph takes. */
export const feedsOf = (rows: readonly (readonly Cell[])[], columns: readonly FedColumn[]): Record<string, Tensor | StringTensor> =>
	Object.fromEntries(
		columns.flatMap((fed): [string, Tensor | StringTensor][] => {
			const { column, input, place, sequence, reading } = fed;
			if (sequence === undefined) return [[input, feedOf(rows, fed)]];
			const cells = rows.map((row) => listOf(row[place] ?? null, reading));
			const { values, mask } = feedSequence(column, cells, sequence);
			return [
				[input, values],
				[sequence.mask, mask],
			];
		}),
	);
