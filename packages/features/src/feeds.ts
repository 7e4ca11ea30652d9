import { type StringTensor, type Tensor, tensor } from '@steelyard/runtime';
import type { Cell } from '@steelyard/table';
import { type CellReading, cellNumber, textOf } from './cells.js';
import type { Feature } from './featuriser.js';
import { cellSeconds } from './scan.js';

/** A column that is fed to a graph: the name of its input, its place in a row, and how its cells are read. `size`: of lists, the numbers of each. */
export type FedColumn = {
	readonly input: string;
	readonly place: number;
	readonly kind: Feature['kind'];
	readonly reading: CellReading;
	readonly size?: number;
};

/** The text of a category as it stands, with the spaces that it has. */
export const categoryText = (cell: Cell): string =>
	typeof cell === 'string' ? cell : cell === null || typeof cell === 'object' ? '' : String(cell);

/** The text of a cell of text; '' where nothing is there. */
export const plainText = (cell: Cell, { missing }: CellReading): string => (textOf(cell, missing) === null ? '' : categoryText(cell));

/** An infinite number counts as a missing one. */
const finite = (value: number): number => (Number.isFinite(value) ? value : Number.NaN);

/** What a graph takes of one column of some rows. */
function feedOf(rows: readonly (readonly Cell[])[], { place, kind, reading, size = 1 }: FedColumn): Tensor | StringTensor {
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
	}
}

/** What a graph takes of some rows, by the names of its inputs. */
export const feedsOf = (rows: readonly (readonly Cell[])[], columns: readonly FedColumn[]): Record<string, Tensor | StringTensor> =>
	Object.fromEntries(columns.map((column) => [column.input, feedOf(rows, column)]));
