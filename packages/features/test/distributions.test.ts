import type { ColumnDistribution, ColumnProfile, TableManifest } from '@steelyard/contracts';
import { openCsvBytes } from '@steelyard/table';
import { describe, expect, it } from 'vitest';
import { previewTable } from '../src/preview-table.js';
import { RowSample } from '../src/row-sample.js';
import { wordsOf } from '../src/words-of.js';
import { columnOf, csv, ingest, jsonLines } from './ingesting.js';

type Cells = Parameters<typeof csv>[1];

/** The distribution of each column after a whole ingestion of a table in csv, which the preview says too. */
async function distributions(
	rows: number,
	cells: Cells,
	manifest: TableManifest,
	delimiter = ',',
): Promise<Record<string, ColumnDistribution | undefined>> {
	const text = csv(rows, cells, delimiter);
	const { profile } = await ingest(text, manifest);
	const of = (columns: readonly ColumnProfile[]) => Object.fromEntries(columns.map(({ name, distribution }) => [name, distribution]));
	const preview = await previewTable([await openCsvBytes(Buffer.from(text), { file: 't.csv', delimiter: manifest.delimiter })], manifest);
	const found = of(profile.table?.columns ?? []);
	expect(of(preview.columns)).toEqual(found);
	return found;
}

const label = (row: number): string => (row % 3 === 0 ? 'yes' : 'no');

describe('the distribution of a column', () => {
	it('of numbers is their range, mean, deviation and histogram, without what is missing', async () => {
		const found = await distributions(101, { x: (row) => (row === 100 ? 'NA' : row), y: label }, { label: 'y' });
		expect(found['x']).toEqual({
			...{ of: 'numbers', count: 100, sampled: false, min: 0, max: 99, mean: expect.closeTo(49.5, 12) },
			...{ std: expect.closeTo(Math.sqrt((100 ** 2 - 1) / 12), 10), counts: new Array(20).fill(5) },
		});
	});

	it('reads decimal marks as the features do, and leaves other texts out', async () => {
		const cells = { x: (row: number) => `${row},5`, z: (row: number) => (row === 7 ? '3,5' : `${row}.25`), y: label };
		const found = await distributions(60, cells, { label: 'y', delimiter: ';' }, ';');
		expect(found['x']).toMatchObject({ of: 'numbers', count: 60, min: 0.5, max: 59.5, mean: expect.closeTo(30, 10) });
		expect(found['z']).toMatchObject({ of: 'numbers', count: 59, min: 0.25, max: 59.25 });
	});

	it('of dates is in unix seconds, with the day first where the column has it so', async () => {
		const day = 24 * 60 * 60;
		const [iso, european] = [(row: number) => `2020-01-${String(row + 1).padStart(2, '0')}`, (row: number) => `${row + 1}.2.2021`];
		const found = await distributions(28, { iso, european, y: label }, { label: 'y' });
		const [first, later] = [Date.UTC(2020, 0, 1) / 1000, Date.UTC(2021, 1, 1) / 1000];
		expect(found['iso']).toMatchObject({
			of: 'dates',
			count: 28,
			min: first,
			max: first + 27 * day,
			mean: expect.closeTo(first + 13.5 * day, 3),
		});
		expect(found['european']).toMatchObject({ of: 'dates', count: 28, min: later, max: later + 27 * day });
	});

	it('of text is how many words each has', async () => {
		const note = (row: number) => Array.from({ length: 5 + (row % 4) }, (_, i) => `word${row}x${i}`).join('  ');
		const found = await distributions(40, { note, y: label }, { label: 'y' });
		expect(found['note']).toMatchObject({ of: 'words', count: 40, min: 5, max: 8, mean: 6.5 });
		expect((found['note'] as { counts: number[] }).counts.filter((count) => count > 0)).toEqual([10, 10, 10, 10]);
	});

	it('of categories and classes is how often the most frequent values occur, and how many cells have others', async () => {
		const ward = (row: number) => (row % 10 === 9 ? '' : `ward ${Math.floor(Math.sqrt(row % 900))}`);
		const found = await distributions(900, { ward, y: label }, { label: 'y', kinds: { ward: 'category' } });
		expect(found['y']).toEqual({
			of: 'values',
			count: 900,
			values: [
				{ value: 'no', count: 600 },
				{ value: 'yes', count: 300 },
			],
			others: 0,
		});
		const counts = new Map<string, number>();
		for (let row = 0; row < 900; row++) if (ward(row) !== '') counts.set(ward(row), (counts.get(ward(row)) ?? 0) + 1);
		const frequent = [...counts].sort(([, a], [, b]) => b - a).slice(0, 20);
		expect(found['ward']).toEqual({
			of: 'values',
			count: 810,
			values: frequent.map(([value, count]) => ({ value, count })),
			others: 810 - frequent.reduce((sum, [, count]) => sum + count, 0),
		});
	});

	it('goes on counting the values that came first where there are more than are told apart', async () => {
		const rows = 45_000;
		const code = (row: number) => (row % 2 === 0 ? `c${row}` : 'common');
		const { profile } = await ingest(csv(rows, { code, y: label }), { label: 'y', kinds: { code: 'category' } });
		const { distinct, distribution } = columnOf(profile, 'code');
		expect(distinct).toBeUndefined();
		expect(distribution).toMatchObject({ of: 'values', count: rows, others: rows / 2 - 19 });
		expect((distribution as { values: unknown[] }).values.slice(0, 2)).toEqual([
			{ value: 'common', count: rows / 2 },
			{ value: 'c0', count: 1 },
		]);
	});

	it('of a long table is of a sample that is drawn from all of its rows, the same each time', async () => {
		const rows = 60_000;
		const table = csv(rows, { x: (row) => row + (row === 4 ? 0.5 : 0), y: label });
		const [one, two] = [await ingest(table, { label: 'y' }), await ingest(table, { label: 'y' })];
		const found = columnOf(one.profile, 'x').distribution as Extract<ColumnDistribution, { counts: number[] }>;
		expect(columnOf(two.profile, 'x').distribution).toEqual(found);
		expect(found).toMatchObject({ of: 'numbers', count: 5000, sampled: true });
		// A uniform sample of 5,000: five deviations of its mean, and of the count of an interval.
		expect(Math.abs(found.mean - rows / 2)).toBeLessThan((5 * rows) / Math.sqrt(12 * 5000));
		for (const count of found.counts) expect(Math.abs(count - 250)).toBeLessThan(5 * Math.sqrt(250));
	});

	it('is there for features and labels alone, and not for lists', async () => {
		const cells = {
			id: (row: number) => row,
			vector: (row: number) => [row, row + 1],
			steps: (row: number) => Array.from({ length: 1 + (row % 2) }, () => row),
			one: () => 'same',
			y: (row: number) => row * 1.5,
		};
		const { profile } = await ingest({ 't.jsonl': jsonLines(40, cells) }, { label: 'y' });
		for (const name of ['id', 'vector', 'steps', 'one']) expect(columnOf(profile, name), name).not.toHaveProperty('distribution');
		expect(columnOf(profile, 'y').distribution).toMatchObject({ of: 'numbers', count: 40, min: 0, max: 58.5 });
	});

	it('lists fewer values of very wide tables', async () => {
		const wide = Object.fromEntries(Array.from({ length: 2500 }, (_, c) => [`c${c}`, (row: number) => `v${(row * (c + 1)) % 29}`]));
		const table = await openCsvBytes(Buffer.from(csv(60, { ...wide, y: label })), { file: 't.csv' });
		const { columns } = await previewTable([table], { label: 'y' });
		const { values } = columns[0]!.distribution as { values: unknown[] };
		expect(values).toHaveLength(7); // 20,000 for 2501 columns
	});
});

describe('the words of a text', () => {
	it('are the parts between runs of spaces of every kind', () => {
		for (const text of ['a', 'a b', 'a \t\n b', 'a\u00a0b\u2003 c', 'é\ufeffü', 'a\u200bb', '字　字', 'a.b,c'])
			expect(wordsOf(text), JSON.stringify(text)).toBe(text.split(/\s+/).length);
	});
});

describe('a sample of rows', () => {
	it('has every row with the same probability', () => {
		const [rows, most] = [4000, 1000];
		const sample = new RowSample(most);
		const slots = new Map<number, number>();
		for (let row = 0; row < rows; row++) {
			const slot = sample.next();
			if (slot >= 0) slots.set(slot, row);
		}
		expect(slots.size).toBe(most);
		const quarters = [0, 0, 0, 0];
		for (const row of slots.values()) quarters[Math.floor((4 * row) / rows)]!++;
		for (const count of quarters) expect(Math.abs(count - 250)).toBeLessThan(5 * Math.sqrt(250));
	});
});
