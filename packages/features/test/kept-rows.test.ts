import { type RowsProfile, readRows } from '@steelyard/dataset';
import { describe, expect, it } from 'vitest';
import { ingest, jsonLines } from './ingesting.js';

const all = (target: string, profile: RowsProfile, split: string) => readRows(target, profile, { split, offset: 0, limit: 100 });

describe('the rows that are kept of a table', () => {
	it('are those of each split in their order, as they were, without rows that have no label', async () => {
		const rows = 40;
		const cells = {
			place: (row: number) => (row % 4 === 0 ? 'test' : 'train'),
			age: (row: number) => (row % 5 === 0 ? null : 20 + row / 10),
			walk: (row: number) => Array.from({ length: 1 + (row % 3) }, (_, step) => row + step),
			died: (row: number) => (row % 7 === 3 ? null : row % 2 === 0),
		};
		const manifest = { label: 'died', split: 'place', missing_labels: 'drop' } as const;
		const { profile, target } = await ingest({ 't.jsonl': jsonLines(rows, cells) }, manifest);
		for (const split of ['train', 'test']) {
			const own = Array.from({ length: rows }, (_, row) => row).filter((row) => cells.died(row) !== null && cells.place(row) === split);
			expect(await all(target, profile, split)).toMatchObject({
				total: own.length,
				kept: own.length,
				data: own.map((row, i) => ({
					row: i,
					values: { place: split, age: cells.age(row), walk: cells.walk(row) },
					label: String(cells.died(row)),
				})),
			});
		}
	});

	it('are those of each file where a split is a file, by the names of their columns', async () => {
		const { profile, target } = await ingest(
			{ 'train.csv': 'a,b,y\n1,5,no\n2,6,yes\n3,5,no\n4,6,yes\n', 'test.csv': 'y,b,a\nyes,7,9\nno,8,\n' },
			{ label: 'y' },
		);
		expect((await all(target, profile, 'test')).data).toEqual([
			{ row: 0, values: { a: '9', b: '7' }, label: 'yes' },
			{ row: 1, values: { a: '', b: '8' }, label: 'no' },
		]);
	});
});
