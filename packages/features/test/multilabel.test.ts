import { readFile } from 'node:fs/promises';
import type { TableManifest } from '@steelyard/contracts';
import { openDataset } from '@steelyard/dataset';
import { describe, expect, it } from 'vitest';
import { columnOf, csv, type Files, ingest, jsonLines, refusal } from './ingesting.js';

const multilabel: TableManifest = { task: { type: 'multilabel' } };
const split = (row: number): string => (row < 30 ? 'train' : 'test');
const x = (row: number): number => row * 1.5;
const flags = { a: (row: number) => (row % 3 === 0 ? 1 : 0), b: (row: number) => (row % 4 === 0 ? 1 : 0) };

/** The labels of a split, a text of 0 and 1 for each row. */
function labelsOf(target: string, name: string): string[] {
	const { rows, labels } = openDataset(target).split(name);
	const width = labels.length / rows;
	return Array.from({ length: rows }, (_, row) => Array.from(labels.slice(row * width, (row + 1) * width)).join(''));
}
const expected = (from: number, to: number, ...columns: ((row: number) => number)[]): string[] =>
	Array.from({ length: to - from }, (_, i) => columns.map((column) => column(from + i)).join(''));

describe('columns of 0 and 1', () => {
	it.each([
		['0 and 1', (flag: number) => flag],
		['1.0 and 0.0', (flag: number) => flag.toFixed(1)],
		['words in any case', (flag: number) => (flag === 1 ? ['true', 'Yes', 'TRUE'] : ['False', 'no', 'FALSE'])[flag] as string],
	])('are labels, as %s', async (_, write) => {
		const text = csv(40, { x, split, a: (row) => write(flags.a(row)), b: (row) => write(flags.b(row)) });
		const { profile, target } = await ingest(text, { ...multilabel, label: ['b', 'a'], split: 'split' });
		expect(profile.task).toMatchObject({ type: 'multilabel', classes: ['b', 'a'], outputs: 2 });
		expect(profile.table?.label).toEqual(['b', 'a']);
		expect(columnOf(profile, 'a')).toMatchObject({ role: 'label', kind: 'category' });
		expect(profile.splits['train']?.labels).toEqual({ a: 10, b: 8 });
		expect(labelsOf(target, 'train')).toEqual(expected(0, 30, flags.b, flags.a));
		expect(labelsOf(target, 'test')).toEqual(expected(30, 40, flags.b, flags.a));
	});

	it('are named by a pattern too, and then stand in the order of the table', async () => {
		const { profile } = await ingest(csv(40, { finding_b: flags.b, x, finding_a: flags.a }), { label: 'finding_*' });
		expect(profile.task).toMatchObject({ type: 'multilabel', classes: ['finding_b', 'finding_a'] });
		expect(profile.modalities).toMatchObject({ numbers: { shape: [1] } });
		const { profile: first } = await ingest(csv(40, { finding_b: flags.b, x, finding_a: flags.a }), { label: ['finding_a', 'finding_*'] });
		expect(first.task.classes).toEqual(['finding_a', 'finding_b']);
	});

	it('are cut so that each label has its share in the test, however rare', async () => {
		const rare = (row: number): number => (row % 100 === 7 ? 1 : 0);
		const { profile } = await ingest(csv(1000, { x, common: (row) => row % 2, rare }), { ...multilabel, label: ['common', 'rare'] });
		expect(profile.splits).toMatchObject({
			train: { rows: 800, labels: { common: 400, rare: 8 } },
			test: { rows: 200, labels: { common: 100, rare: 2 } },
		});
	});

	it('stay with their rows where groups stay together', async () => {
		const { profile, target } = await ingest(csv(80, { x, who: (row) => `p${row % 16}`, ...flags }), {
			...multilabel,
			label: ['a', 'b'],
			group: 'who',
			kinds: { who: 'category' },
		});
		const [train, test] = ['train', 'test'].map((name) => new Set(openDataset(target).split(name).groups));
		expect([...(train as Set<number>)].filter((group) => test?.has(group))).toEqual([]);
		expect(profile.splits['test']?.rows).toBe(15);
	});

	it('are refused with the row where one is missing, or the row is dropped', async () => {
		const text = csv(40, { x, split, a: (row) => (row === 4 || row === 33 ? '' : flags.a(row)), b: flags.b });
		const manifest: TableManifest = { ...multilabel, label: ['a', 'b'], split: 'split' };
		expect(await refusal(text, manifest)).toMatchObject({
			param: 'label',
			message: expect.stringMatching(/^The labels "a", "b": expected a label in every row, found none in rows 4, 33; "missing_labels"/),
		});
		const { profile, target } = await ingest(text, { ...manifest, missing_labels: 'drop' });
		expect(profile.table).toMatchObject({ rows: 38, dropped: 2 });
		expect(labelsOf(target, 'test')).toEqual(expected(30, 40, flags.a, flags.b).filter((_, i) => i !== 3));
	});
});

describe('a column of several labels', () => {
	const names = ['fracture', 'effusion', 'nodule'];
	/** Labels of a row: none in every fifth. */
	const setOf = (row: number): string[] => (row % 5 === 0 ? [] : names.filter((_, i) => (row >> i) % 2 === 1));
	const wanted = (from: number, to: number) =>
		expected(from, to, ...['effusion', 'fracture', 'nodule'].map((name) => (row: number) => (setOf(row).includes(name) ? 1 : 0)));

	it('is a list, and an empty one has none of them', async () => {
		const { profile, target } = await ingest({ 't.jsonl': jsonLines(40, { x, split, label: setOf }) }, { split: 'split' });
		expect(profile.task).toMatchObject({ type: 'multilabel', classes: ['effusion', 'fracture', 'nodule'] });
		expect(profile.table?.label).toBe('label');
		expect(labelsOf(target, 'train')).toEqual(wanted(0, 30));
		expect(labelsOf(target, 'test')).toEqual(wanted(30, 40));
	});

	it('is a list of texts in parquet too', async () => {
		const bytes = await readFile(new URL('fixtures/lists.parquet', import.meta.url));
		const { profile, target } = await ingest({ 'lists.parquet': bytes }, { label: 'tags', columns: { pulse: ['pulse'] }, split: 'split' });
		expect(profile.task.classes).toEqual(['effusion', 'fracture', 'nodule']);
		const flag = (bit: number) => (row: number) => (row >> bit) % 2;
		expect(labelsOf(target, 'train')).toEqual(expected(0, 70, flag(1), flag(0), flag(2)));
		expect(labelsOf(target, 'test')).toEqual(expected(70, 90, flag(1), flag(0), flag(2)));
	});

	it('is a text with a separator, whatever spaces stand around it and however often a label is said', async () => {
		const write = (row: number): string => {
			const labels = setOf(row);
			return labels.length === 0
				? '|'
				: ([`  ${labels.join(' | ')} `, `${labels.join('|')}|`, [...labels, ...labels].join('|')][row % 3] as string);
		};
		const text = csv(40, { x, split, label: write });
		const { profile, target } = await ingest(text, { label_separator: '|', split: 'split', delimiter: ',' });
		expect(profile.task.classes).toEqual(['effusion', 'fracture', 'nodule']);
		expect(labelsOf(target, 'train')).toEqual(wanted(0, 30));
	});

	it('has its labels in the order of numbers, or of the manifest', async () => {
		const { profile } = await ingest({ 't.jsonl': jsonLines(40, { x, y: (row) => (row % 2 === 0 ? [10, 9] : [100]) }) });
		expect(profile.task.classes).toEqual(['9', '10', '100']);
		const said: TableManifest = { task: { type: 'multilabel', classes: ['nodule', 'fracture', 'effusion'] } };
		const { profile: named } = await ingest({ 't.jsonl': jsonLines(40, { x, y: setOf }) }, said);
		expect(named.task.classes).toEqual(['nodule', 'fracture', 'effusion']);
	});

	it('may begin with rows that lack it', async () => {
		const label = (row: number) => (row < 2 ? [null, 'NA'][row] : setOf(row));
		const { profile, target } = await ingest({ 't.jsonl': jsonLines(40, { x, split, label }) }, { split: 'split', missing_labels: 'drop' });
		expect(profile.table).toMatchObject({ rows: 38, dropped: 2 });
		expect(labelsOf(target, 'train')).toEqual(wanted(2, 30));
	});

	it('of thousands of different labels is refused', async () => {
		const { message } = await refusal({ 't.jsonl': jsonLines(2100, { x, label: (row) => [`${row}a`, `${row}b`] }) });
		expect(message).toMatch(/^The label "label": expected at most 1000 different labels, found 4200 or more; task.classes/);
	});
});

describe('labels that are refused', () => {
	const table = csv(40, { x, ...flags, c: (row) => row % 3, label: (row) => ['u', 'v'][row % 2], split });
	const lists = (label: (row: number) => unknown): Files => ({ 't.jsonl': jsonLines(40, { x, label, split }) });

	it.each<[string, string | Files, TableManifest, string, RegExp]>([
		[
			'one alone',
			table,
			{ ...multilabel, label: ['a'] },
			'manifest.label',
			/^label: expected two columns or more in a list, or by a pattern, found only "a"/,
		],
		['a pattern that one fits', table, { label: 'sp*' }, 'manifest.label', /found only "split", which "label": "split" predicts alone/],
		[
			'a pattern that none fits',
			table,
			{ label: 'z*' },
			'manifest.label',
			/expected the name of a column, found "z\*"; the columns are x, a/,
		],
		[
			'other numbers',
			table,
			{ label: ['a', 'c'] },
			'label',
			/^The label "c", row 2: expected 0 or 1, true or false, or yes or no, .*found "2"/,
		],
		['other texts', table, { label: ['label', 'a'] }, 'label', /^The label "label", row 0: expected 0 or 1.*found "u"/],
		[
			'of a task of another type',
			table,
			{ label: ['a', 'b'], task: { type: 'binary' } },
			'manifest.task.type',
			/expected "task": \{"type": "multilabel"\}.*found "binary"/,
		],
		[
			'with names for the columns',
			table,
			{ label: ['a', 'b'], task: { classes: ['p', 'q'] } },
			'manifest.task.classes',
			/expected none: the columns/,
		],
		[
			'one a row',
			table,
			{ ...multilabel, label: 'label' },
			'manifest.task.type',
			/^The label "label": expected several columns of 0 and 1, a column of lists, or/,
		],
		['a separator for several columns', table, { label: ['a', 'b'], label_separator: '|' }, 'manifest.label_separator', /found 2 columns/],
		[
			'the column of the splits',
			table,
			{ label: ['a', 'split'], split: 'split' },
			'manifest.split',
			/expected a column beside those of the labels/,
		],
		[
			'one that no training row has',
			csv(40, { x, split, a: flags.a, b: (row) => (row > 35 ? 1 : 0) }),
			{ label: ['a', 'b'], split: 'split' },
			'label',
			/^The labels "a", "b": expected every class among the training rows, found "b" only in rows 36, 37, 38, 39 of other splits/,
		],
		[
			'one that no row has',
			csv(40, { x, a: flags.a, b: () => 0 }),
			{ label: ['a', 'b'] },
			'label',
			/expected every label among the training rows, found "b" in no row/,
		],
		['a list of one label in all', lists(() => ['u']), {}, 'label', /expected two labels or more, found only "u"/],
		[
			'null in a list',
			lists((row) => (row === 3 ? ['u', null] : ['u', 'v'])),
			{},
			'label',
			/^The label "label", row 3: expected a list of labels.*found null in it/,
		],
		['lists in a list', lists((row) => (row === 3 ? [['u']] : ['u', 'v'])), {}, 'label', /row 3: .*found a list in it/],
		[
			'a text among lists',
			lists((row) => (row === 3 ? 'u' : ['u', 'v'])),
			{},
			'label',
			/row 3: expected a list of labels, as rows before have, found "u"/,
		],
		[
			'a list among texts',
			lists((row) => (row === 3 ? ['u', 'v'] : 'u')),
			{},
			'label',
			/row 3: expected one label, as rows before have, found a list of 2/,
		],
		[
			'one that no class is',
			lists((row) => (row === 3 ? ['u', 'w'] : ['u', 'v'])),
			{ task: { type: 'multilabel', classes: ['u', 'v'] } },
			'manifest.task.classes',
			/row 3: expected one of "u", "v", found "w"/,
		],
	])('%s', async (_, files, manifest, param, message) => {
		expect(await refusal(files, manifest)).toMatchObject({ param, message: expect.stringMatching(message) });
	});
});
