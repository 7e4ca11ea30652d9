import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatasetProfile, TableManifest } from '@steelyard/contracts';
import { openDataset } from '@steelyard/dataset';
import { FEATURISER_FILE } from '@steelyard/features';
import { createSession, type StringTensor, type Tensor, tensor } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import { columnOf, csv, ingest, refusal } from './ingesting.js';

/** What a column became, in short. */
const shortOf = (profile: DatasetProfile, name: string): string => {
	const { role, kind, modality, note } = columnOf(profile, name);
	return [role, kind, modality, note === undefined ? undefined : `(${note})`].filter((part) => part !== undefined).join(' ');
};

const y = (row: number): string => (row % 3 === 0 ? 'yes' : 'no');
const words = ['fever', 'cough', 'rash', 'pain', 'none', 'acute', 'mild', 'since', 'days'];
const sentence = (row: number): string => Array.from({ length: 7 }, (_, i) => words[(row * 5 + i * (row % 4)) % words.length]).join(' ');

describe('what is inferred', () => {
	it('tells numbers, categories, text, dates and what numbers the rows', async () => {
		const { profile } = await ingest(
			csv(60, {
				id: (row) => row + 1,
				patient_id: (row) => (row * 7919) % 100_003,
				age: (row) => 20 + (row % 50),
				code: (row) => `00${row % 5}`,
				ward: (row) => ['A', 'B', 'C'][row % 3],
				flag: (row) => row % 2 === 0,
				note: sentence,
				seen: (row) => `2024-0${1 + (row % 9)}-1${row % 10}`,
				token: (row) => `x${(row * 7919) % 100_003}`,
				same: () => 'a',
				empty: () => '',
				y,
			}),
		);
		expect(Object.fromEntries(profile.table?.columns.map(({ name }) => [name, shortOf(profile, name)]) ?? [])).toEqual({
			id: 'ignored (it numbers the rows)',
			patient_id: 'ignored (it names the rows)',
			age: 'feature number numbers',
			code: 'feature category categories',
			ward: 'feature category categories',
			flag: 'feature category categories',
			note: 'feature text note',
			seen: 'feature date dates',
			token: 'ignored (almost every row has another text)',
			same: 'ignored (all its cells are equal)',
			empty: 'ignored (it is empty)',
			y: 'label category',
		});
		expect(profile.task).toMatchObject({ type: 'binary', classes: ['no', 'yes'] });
		expect(profile.splits).toMatchObject({ train: { rows: 48, labels: { yes: 16 } }, test: { rows: 12, labels: { yes: 4 } } });
		expect(columnOf(profile, 'age')).toMatchObject({ missing: 0, distinct: 50, examples: ['20', '21', '22'], features: 1 });
	});

	it.each([
		['0 and 1', (row: number) => row % 2, 'binary', ['0', '1']],
		['1.0 and 2', (row: number) => (row % 2 === 0 ? '1.0' : '2'), 'binary', ['1', '2']],
		['whole numbers, few', (row: number) => 10 - (row % 4), 'multiclass', ['7', '8', '9', '10']],
		['many numbers', (row: number) => row * 1.5, 'regression', []],
		['whole numbers, many', (row: number) => row, 'regression', []],
		['texts', (row: number) => ['b', 'a', 'c'][row % 3], 'multiclass', ['a', 'b', 'c']],
	])('takes labels that are %s', async (_, label, type, classes) => {
		const { profile } = await ingest(csv(60, { x: (row) => row * 1.5 - (row % 7), y: label }));
		expect(profile.task).toMatchObject({ type, classes });
	});

	it('takes the labels "0", "1", "2" and 3 of json lines for four numbers', async () => {
		const line = (row: number) => JSON.stringify({ x: Math.sin(row), label: row % 4 === 3 ? 3 : String(row % 4) });
		const { profile } = await ingest({ 't.jsonl': Array.from({ length: 40 }, (_, row) => line(row)).join('\n') });
		expect(profile.task).toMatchObject({ type: 'multiclass', classes: ['0', '1', '2', '3'] });
	});

	it('reads decimal commas, and each common word for what is missing', async () => {
		const { profile, target } = await ingest(
			csv(50, { x: (row) => (row % 5 === 0 ? ['NA', '', 'null', '?', '-nan'][(row / 5) % 5] : `${row},5`), z: (row) => row % 7, y }, ';'),
		);
		expect(shortOf(profile, 'x')).toBe('feature number numbers');
		expect(columnOf(profile, 'x')).toMatchObject({ missing: 0.2, features: 2 });
		expect(openDataset(target).profile.modalities['numbers']?.columns).toEqual(['x', 'z', 'x is missing']);
	});

	it('takes few texts among numbers for missing ones, and says which', async () => {
		const { profile } = await ingest(csv(100, { x: (row) => (row === 7 ? 'broken' : row * 1.25), y }));
		expect(shortOf(profile, 'x')).toBe('feature number numbers (1 cells are no numbers and count as missing: "broken")');
	});

	it('reads dates in three formats, and day and month by the days beyond 12', async () => {
		const formats = [
			(d: number) => `${d}.03.2021`,
			(d: number) => `2021-03-${String(d).padStart(2, '0')} 06:00`,
			(d: number) => `Mar ${d}, 2021`,
		];
		const { profile, target } = await ingest(
			csv(60, { when: (row) => (formats[row % 3] as (d: number) => string)(1 + (row % 28)), y }, ';'),
		);
		expect(shortOf(profile, 'when')).toBe('feature date dates');
		expect(openDataset(target).profile.modalities['dates']?.columns).toHaveLength(10);
		const either = await ingest(csv(60, { when: (row) => (row % 2 === 0 ? '13/3/2021' : '3/14/2021'), x: (row) => row % 11, y }));
		expect(shortOf(either.profile, 'when')).toMatch(
			/day and month stand in either order: 30 cells begin with the day and 30 with the month/,
		);
	});

	it('knows categories from names of rows also where there are more of them than are counted', async () => {
		const many = (row: number) => `c${(row * 7919) % 25_000}`;
		const { profile } = await ingest(csv(80_000, { c: many, id: (row) => `r${row}`, x: (row) => row % 9, y }));
		expect(shortOf(profile, 'c')).toBe('feature category categories');
		expect(columnOf(profile, 'c').distinct).toBeUndefined();
		expect(shortOf(profile, 'id')).toBe('ignored (almost every row has another text)');
	});

	it('keeps the most frequent of a million categories, and counts the others as one', async () => {
		const { profile } = await ingest(csv(4000, { c: (row) => (row % 2 === 0 ? 'often' : `rare ${row}`), d: (row) => row % 9, y }), {
			kinds: { c: 'category' },
			categories: { most: 5 },
		});
		expect(columnOf(profile, 'c')).toMatchObject({ kind: 'category', features: 2 });
	});

	it('masks a modality in the rows that have nothing of it', async () => {
		const { profile, target } = await ingest(csv(40, { x: (row) => row * 1.5, note: (row) => (row % 2 === 0 ? '' : sentence(row)), y }));
		expect(profile.modalities['note']).toMatchObject({ masked: true, missing: 0.5 });
		expect(profile.modalities['numbers']).toMatchObject({ masked: false });
		const train = openDataset(target).split('train');
		expect(train.rows).toBe(32);
	});

	it('tells two columns of one name apart', async () => {
		const { profile } = await ingest(`x,x,y\n${Array.from({ length: 20 }, (_, row) => `${row * 0.5},${row % 3},${y(row)}`).join('\n')}`);
		expect(profile.table?.columns.map(({ name }) => name)).toEqual(['x', 'x_2', 'y']);
	});
});

describe('what the manifest says', () => {
	const table = csv(60, {
		lab_a: (row) => row * 1.5,
		lab_b: (row) => row % 7,
		ward: (row) => ['A', 'B'][row % 2],
		note: sentence,
		person: (row) => Math.floor(row / 4),
		died: y,
	});

	it('names modalities by patterns and kinds; other columns are ignored', async () => {
		const { profile } = await ingest(table, {
			label: 'died',
			columns: { labs: ['lab_*'], words: { text: 'note' }, place: { category: ['ward'] } },
		});
		expect(Object.keys(profile.modalities)).toEqual(['labs', 'words', 'place']);
		expect(shortOf(profile, 'person')).toBe('ignored (manifest.json gives it to no modality)');
	});

	const rowsOf = ({ splits }: DatasetProfile) => Object.fromEntries(Object.entries(splits).map(([name, { rows }]) => [name, rows]));

	it('keeps groups together', async () => {
		const { profile, target } = await ingest(table, { label: 'died', group: 'person', split: { test: 0.25 } });
		const dataset = openDataset(target);
		const [train, test] = ['train', 'test'].map((split) => new Set(dataset.split(split).groups));
		expect([...(train as Set<number>)].filter((group) => test?.has(group))).toEqual([]);
		expect(profile.splits['test']?.rows).toBeGreaterThan(8);
		expect(shortOf(profile, 'person')).toBe('group');
	});

	it('cuts by time, the last rows for the test, and those before them for validation unless told otherwise', async () => {
		const { profile, target } = await ingest(
			csv(40, { when: (row) => `2020-${String(1 + ((row * 7) % 12)).padStart(2, '0')}-15`, x: (row) => (row * 7) % 12, y }),
			{
				time: 'when',
				split: { test: 0.25 },
				columns: { x: ['x'] },
			},
		);
		const dataset = openDataset(target);
		const valuesOf = (split: string): number[] => {
			const { rows } = dataset.split(split);
			const out = new Float32Array(rows);
			dataset.split(split).gather(
				'x',
				Uint32Array.from({ length: rows }, (_, i) => i),
				out,
			);
			return [...out];
		};
		expect(Math.max(...valuesOf('train'))).toBeLessThanOrEqual(Math.min(...valuesOf('valid')));
		expect(Math.max(...valuesOf('valid'))).toBeLessThanOrEqual(Math.min(...valuesOf('test')));
		expect(rowsOf(profile)).toEqual({ train: 24, valid: 6, test: 10 });
		const when = (row: number) => `2020-01-${10 + (row % 20)}`;
		const without = await ingest(csv(40, { when, x: (row) => row, y }), { time: 'when', split: { valid: 0 } });
		expect(rowsOf(without.profile)).toEqual({ train: 32, test: 8 });
	});

	it('reads splits from a column, and from files', async () => {
		const split = (row: number) => ['train', 'train', 'validation', 'test'][row % 4];
		const { profile } = await ingest(csv(40, { x: (row) => row * 1.5, split, y }), { split: 'split' });
		expect(Object.entries(profile.splits).map(([name, { rows }]) => [name, rows])).toEqual([
			['train', 20],
			['valid', 10],
			['test', 10],
		]);
		const part = (from: number) => csv(20, { x: (row) => row * 1.5 + from, y });
		const files = await ingest({ 'train.csv': part(0), 'test.csv': part(3) });
		expect(Object.entries(files.profile.splits).map(([name, { rows }]) => [name, rows])).toEqual([
			['train', 20],
			['test', 20],
		]);
	});

	it('drops rows without a label where it says so', async () => {
		const text = csv(40, { x: (row) => row * 1.5, y: (row) => (row === 3 ? '' : y(row)) });
		expect(await refusal(text)).toMatchObject({
			param: 'label',
			message: expect.stringMatching(/expected a label in every row, found none in row 3; "missing_labels": "drop"/),
		});
		const { profile } = await ingest(text, { missing_labels: 'drop' });
		expect(profile.table).toMatchObject({ rows: 39, dropped: 1 });
	});
});

describe('what is refused', () => {
	it.each([
		[
			'no label',
			csv(9, { a: (row) => row, b: (row) => row % 2 }),
			{},
			'label',
			/the name of the column to predict, or a column called label, .*; the columns are a, b/,
		],
		[
			'a label that is no column',
			csv(9, { a: (row) => row, y }),
			{ label: 'z' },
			'manifest.label',
			/expected the name of a column, found "z"; the columns are a, y/,
		],
		[
			'labels that are all equal',
			csv(9, { a: (row) => row % 4, y: () => 'x' }),
			{},
			'label',
			/expected two classes or more, found only "x"/,
		],
		[
			'nothing to learn from',
			csv(9, { id: (row) => row, y }),
			{},
			'file',
			/expected a column to learn from, found none beside the label: id \(it numbers the rows\)/,
		],
		['no rows', 'a,y\n', {}, 'file', /expected rows below the names of the columns, found none/],
		[
			'numbers that are none',
			csv(9, { a: (row) => `t${row % 3}`, y }),
			{ kinds: { a: 'number' as const } },
			'manifest.kinds',
			/Column "a": expected numbers, found none in the training rows/,
		],
		[
			'a pattern that fits nothing',
			csv(9, { a: (row) => row % 4, y }),
			{ columns: { labs: ['lab_*'] } },
			'manifest.columns.labs',
			/expected columns that fit "lab_\*", found none among a, y/,
		],
		[
			'a class of the test alone',
			csv(40, { a: (row) => row % 4, s: (row) => (row < 30 ? 'train' : 'test'), y: (row) => (row === 35 ? 'new' : y(row)) }),
			{ split: 's' },
			'label',
			/expected every class among the training rows, found "new" only in row 35/,
		],
		[
			'a row without a split',
			csv(9, { a: (row) => row % 4, s: (row) => (row === 2 ? '' : 'train'), y }),
			{ split: 's' },
			'manifest.split',
			/expected a split in every row, found none in row 2/,
		],
		[
			'labels that no class is',
			csv(9, { a: (row) => row % 4, y }),
			{ task: { classes: ['no', 'maybe'] } },
			'manifest.task.classes',
			/row 0: expected one of "no", "maybe", found "yes"/,
		],
	])('%s', async (_, text, manifest, param, message) => {
		expect(await refusal(text, manifest as TableManifest)).toMatchObject({ param, message: expect.stringMatching(message) });
	});
});

describe('the graph of features', () => {
	/** What the graph of a dataset gives for raw columns. */
	async function featuresOf(target: string, feeds: Record<string, Tensor | StringTensor>): Promise<Record<string, number[]>> {
		const session = await createSession(await readFile(join(target, FEATURISER_FILE)));
		try {
			const given = await session.run(Object.fromEntries(Object.entries(feeds).map(([column, cells]) => [`column/${column}`, cells])));
			return Object.fromEntries(Object.entries(given).map(([name, { data }]) => [name, Array.from(data as Float32Array)]));
		} finally {
			await session.release();
		}
	}

	it('gives for a raw row what the dataset holds of it', async () => {
		const { target } = await ingest(
			csv(40, { x: (row) => row * 1.5, ward: (row) => ['A', ' B'][row % 2], note: sentence, s: (row) => (row < 30 ? 'train' : 'test'), y }),
			{ split: 's' },
		);
		const given = await featuresOf(target, {
			x: tensor('float64', [2], [30 * 1.5, 31 * 1.5]),
			ward: { dtype: 'string', shape: [2], data: ['A', ' B'] },
			note: { dtype: 'string', shape: [2], data: [sentence(30), sentence(31)] },
		});
		const test = openDataset(target).split('test');
		for (const [name, shape] of Object.entries(openDataset(target).profile.modalities).map(
			([modality, { shape: own }]) => [modality, own[0] as number] as const,
		)) {
			const held = new Float32Array(2 * shape);
			test.gather(name, Uint32Array.from([0, 1]), held);
			expect(given[`x.${name}`]).toEqual(Array.from(held));
		}
	});

	it('knows what is missing, unseen, and beyond what was learned', async () => {
		const { target } = await ingest(
			csv(40, { x: (row) => (row % 4 === 0 ? 'NA' : row), ward: (row) => ['A', 'B', ''][row % 3], s: () => 'train', y }),
			{ split: 's', label: 'y' },
		);
		const given = await featuresOf(target, {
			x: tensor('float64', [3], [Number.NaN, 39, 1e300]),
			ward: { dtype: 'string', shape: [3], data: ['', 'Z', 'NA'] },
		});
		// A, B, missing, another; a row that has nothing of a modality is all zeros.
		expect(given['x.categories']).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
		expect(given['x.numbers']?.slice(0, 2)).toEqual([0, 0]);
		expect(given['mask.numbers']).toEqual([0, 1, 1]);
		expect(given['mask.categories']).toEqual([0, 1, 1]);
	});

	it('takes columns that are called like values of its own', async () => {
		const { profile } = await ingest(
			csv(40, { 'features/const_0': (row) => row % 7, 'x.numbers': (row) => row % 5, 'mask.numbers': (row) => 'ABC'[row % 3], y }),
		);
		expect(profile.modalities).toMatchObject({ numbers: { shape: [2] }, categories: { shape: [4] } });
	});

	it('is refused before anything is written where its features would be too large', async () => {
		const text = csv(400, { note: (row) => `${sentence(row)} ${row % 50}`, y });
		const { message, param } = await refusal(text, {}, { bytes: 20_000 });
		expect(param).toBe('manifest');
		expect(message).toMatch(
			/expected features of at most 20000 bytes, found \d+: 400 rows of \d+ numbers, of which "note" gives \d+; fewer "texts"/,
		);
	});

	it('fits nothing on rows of other splits', async () => {
		const with_ = (last: unknown) =>
			csv(40, {
				x: (row) => (row < 30 ? row * 1.5 : last),
				note: (row) => (row < 30 ? sentence(row) : `${last} ${sentence(row)}`),
				s: (row) => (row < 30 ? 'train' : 'test'),
				y,
			});
		const [one, other] = await Promise.all([1e9, -5].map((last) => ingest(with_(last), { split: 's' })));
		const bytes = await Promise.all([one, other].map((dataset) => readFile(join(dataset?.target ?? '', FEATURISER_FILE))));
		expect(bytes[0]?.equals(bytes[1] as Buffer)).toBe(true);
	});

	it('computes what scikit-learn and pandas compute', async () => {
		const fixture = (file: string) => readFile(new URL(`fixtures/${file}`, import.meta.url), 'utf8');
		const expected: Record<string, number[][]> & { terms: unknown } = JSON.parse(await fixture('expected.json'));
		const { target } = await ingest(await fixture('visits.csv'), {
			split: 'split',
			columns: { numbers: ['age', 'sodium'], categories: ['ward'], note: ['note'], dates: ['seen'] },
		});
		const dataset = openDataset(target);
		expect(dataset.profile.modalities['note']?.columns).toEqual((expected.terms as string[]).map((term) => `note has "${term}"`));
		for (const [split, from] of Object.entries({ train: 0, test: dataset.split('train').rows }))
			for (const name of ['numbers', 'categories', 'note', 'dates']) {
				const { rows } = dataset.split(split);
				const width = dataset.split(split).shape(name)[0] as number;
				const given = new Float32Array(rows * width);
				dataset.split(split).gather(
					name,
					Uint32Array.from({ length: rows }, (_, i) => i),
					given,
				);
				// A row of which nothing is there is all zeros here.
				const wanted = (expected[name] as number[][])
					.slice(from, from + rows)
					.flatMap((row) => (name === 'numbers' && row[2] === 1 && row[3] === 1 ? row.map(() => 0) : row));
				const most = Math.max(...given.map((value, i) => Math.abs(value - (wanted[i] as number))));
				expect(most, `${split} ${name}`).toBeLessThan(2e-6);
			}
	});
});
