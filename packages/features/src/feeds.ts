import type { StringTensor, Tensor } from '@steelyard/runtime';
import { tensor } from '@steelyard/runtime';
import type { Cell } from '@steelyard/table';
import { cellNumber } from './cells.js';
import type { Feature } from './featuriser.js';
import { categoryText, plainText } from './fit.js';
import type { Column } from './infer.js';
import { cellSeconds } from './scan.js';

type Rows = readonly (readonly Cell[])[];

/** What the graph of features takes of one column of some rows. */
function feedOf(rows: Rows, column: Column, feature: Feature): Tensor | StringTensor {
	const n = rows.length;
	const cell = (row: readonly Cell[]): Cell => row[column.place] ?? null;
	switch (feature.kind) {
		case 'number':
			return tensor(
				'float64',
				[n],
				Float64Array.from(rows, (row) => finite(cellNumber(cell(row), column.reading))),
			);
		case 'date':
			return tensor(
				'float64',
				[n],
				Float64Array.from(rows, (row) => cellSeconds(cell(row), column.reading)),
			);
		case 'category':
			return { dtype: 'string', shape: [n], data: rows.map((row) => categoryText(cell(row))) };
		case 'text':
			return { dtype: 'string', shape: [n], data: rows.map((row) => plainText(cell(row), column)) };
		case 'vector': {
			const values = new Float64Array(n * feature.size).fill(Number.NaN);
			rows.forEach((row, i) => {
				const list = cell(row);
				if (typeof list === 'object' && list !== null)
					list.forEach((value, k) => (values[i * feature.size + k] = typeof value === 'number' ? finite(value) : Number.NaN));
			});
			return tensor('float64', [n, feature.size], values);
		}
	}
}

/** An infinite number counts as a missing one. */
const finite = (value: number): number => (Number.isFinite(value) ? value : Number.NaN);

/** What the graph of features takes of some rows, by the names of the columns. */
export const feedsOf = (rows: Rows, features: readonly { column: Column; feature: Feature }[]): Record<string, Tensor | StringTensor> =>
	Object.fromEntries(features.map(({ column, feature }) => [column.name, feedOf(rows, column, feature)]));
