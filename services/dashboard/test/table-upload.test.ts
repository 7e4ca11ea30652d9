import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { ColumnProfile, TableManifest } from '@steelyard/contracts';
import { describe, expect, it } from 'vitest';
import { fieldOf, modalityName, saidOf, withField, withKind, withLabel, withModality, withRole } from '../src/page/data/manifest-edit.js';
import { columnsInRefusal, refusalPlace } from '../src/page/data/refusal-place.js';
import { chosen, cutAtLine, headerCells, namesOf } from '../src/page/data/table-sample.js';

const column = (name: string, said: Partial<ColumnProfile> = {}): ColumnProfile => ({
	name,
	role: 'feature',
	missing: 0,
	examples: [],
	...said,
});
const COLUMNS: ColumnProfile[] = [
	column('visit', { role: 'ignored', examples: ['1000', '1001'] }),
	column('age', { kind: 'number', modality: 'numbers' }),
	column('pulse', { kind: 'number', modality: 'numbers' }),
	column('note', { kind: 'text', modality: 'note' }),
	column('died', { role: 'label', kind: 'category' }),
];

describe('a field of a manifest', () => {
	it('is set and read at any depth, and taken away with what holds nothing else', () => {
		const said = withField({ label: 'died' }, 'texts.as', 'tokens');
		expect(said).toEqual({ label: 'died', texts: { as: 'tokens' } });
		expect(fieldOf(said, 'texts.as')).toBe('tokens');
		expect(withField(said, 'texts.as', undefined)).toEqual({ label: 'died' });
		expect(withField(withField(said, 'texts.tokens', 8), 'texts.as', undefined)).toEqual({ label: 'died', texts: { tokens: 8 } });
	});

	it('of shares takes the place of a column of splits', () => {
		expect(withField({ split: 'part' }, 'split.test', 0.3)).toEqual({ split: { test: 0.3 } });
	});
});

describe('a column', () => {
	it('goes to another modality while all others stay in theirs', () => {
		expect(withModality({}, COLUMNS, 'pulse', 'vitals')).toEqual({ columns: { numbers: ['age'], note: ['note'], vitals: ['pulse'] } });
		const moved = withModality(withModality({}, COLUMNS, 'pulse', 'vitals'), COLUMNS, 'age', 'vitals');
		expect(moved).toEqual({ columns: { note: ['note'], vitals: ['pulse', 'age'] } });
	});

	it('goes from modalities that say kinds', () => {
		const said: TableManifest = { columns: { labs: { number: ['age', 'pulse'] }, note: { text: 'note' } } };
		expect(withModality(said, COLUMNS, 'age', 'note')).toEqual({ columns: { labs: ['pulse'], note: ['note', 'age'] } });
	});

	it('becomes the label and leaves its modality and its other roles', () => {
		const said: TableManifest = { columns: { a: ['age'], b: ['pulse'] }, kinds: { age: 'number' }, group: 'age', task: { type: 'binary' } };
		expect(withLabel(said, 'age')).toEqual({ columns: { b: ['pulse'] }, label: 'age' });
	});

	it('is left out, and comes back with a kind that its examples show', () => {
		expect(withRole({}, COLUMNS, 'age', 'ignored')).toEqual({ kinds: { age: 'ignored' } });
		expect(withRole({ kinds: { age: 'ignored' } }, COLUMNS, 'age', 'feature')).toEqual({});
		expect(withRole({}, COLUMNS, 'visit', 'feature')).toEqual({ kinds: { visit: 'number' } });
		expect(withRole({ columns: { a: ['age'] } }, COLUMNS, 'visit', 'feature')).toEqual({
			kinds: { visit: 'number' },
			columns: { a: ['age'], numbers: ['visit'] },
		});
	});

	it('says in which group or split a row is', () => {
		expect(withRole({ columns: { a: ['age'], n: ['note'] } }, COLUMNS, 'note', 'group')).toEqual({
			columns: { a: ['age'] },
			group: 'note',
		});
		expect(withRole({ group: 'note' }, COLUMNS, 'note', 'split')).toEqual({ split: 'note' });
	});

	it('is shown as the manifest says it, also where the service refuses that', () => {
		const age = COLUMNS[1] as ColumnProfile;
		expect(saidOf({}, age)).toEqual({ role: 'feature', kind: 'number', modality: 'numbers' });
		expect(saidOf(withKind({}, 'age', 'sequence'), age).kind).toBe('sequence');
		expect(saidOf({ columns: { vitals: ['age'] } }, age).modality).toBe('vitals');
		expect(saidOf({ kinds: { age: 'ignored' } }, age).role).toBe('ignored');
		expect(saidOf({ group: 'age' }, age).role).toBe('group');
		expect(saidOf({}, { ...age, role: 'group' }).role).toBe('feature');
	});
});

it('makes a name of a modality of any text', () => {
	expect(modalityName('3. Blood count (mg)')).toBe('Blood_count_mg_');
	expect(modalityName('血')).toBe('more');
});

describe('a refusal', () => {
	it('belongs to the column that it names, else to a field', () => {
		const at = (param: string | null, message: string) => refusalPlace({ param, message }, ['a "b"', 'ward']);
		expect(at('manifest.kinds', 'Column "ward": expected lists of numbers, found none')).toEqual({ column: 'ward', field: null });
		expect(at('columns', 'Column "a \\"b\\"", row 3, step 1: expected a number')).toEqual({ column: 'a "b"', field: null });
		expect(at('manifest.group', 'The column "ward" of groups: expected a group in every row')).toEqual({ column: null, field: 'group' });
		expect(at('manifest.split.test', 'manifest.json: split.test must be < 1')).toEqual({ column: null, field: 'split.test' });
		expect(at('file', 'The dataset: expected rows')).toEqual({ column: null, field: null });
		expect(at('columns', 'Column "gone": expected lists')).toEqual({ column: null, field: null });
		expect(refusalPlace({ param: 'columns', message: 'Column "ward": expected lists' }, [])).toEqual({ column: 'ward', field: null });
		expect(at(null, 'no answer')).toEqual({ column: null, field: null });
	});

	it('lists the columns of a table without a label', () => {
		expect(columnsInRefusal('The dataset: expected "label" in the manifest; the columns are a, b c, … (30 columns)')).toEqual(['a', 'b c']);
		expect(columnsInRefusal('The dataset: expected rows')).toEqual([]);
	});
});

describe('the part of a table that is looked at', () => {
	const bytes = (text: string) => new TextEncoder().encode(text);
	const text = (part: Uint8Array) => new TextDecoder().decode(part);

	it('ends with a whole row', () => {
		expect(text(cutAtLine(bytes('a,b\n1,2\n3,'), true))).toBe('a,b\n1,2\n');
		expect(text(cutAtLine(bytes('a,b\n1,2\n3,"x\ny'), true))).toBe('a,b\n1,2\n');
		expect(text(cutAtLine(bytes('{"a":"\\""}\n{"a"'), false))).toBe('{"a":"\\""}\n');
	});

	it('ends with a line where quotes do not pair', () => {
		expect(text(cutAtLine(bytes('a,b\n5" pipe,1\n6,2\n7,3\n8'), true))).toBe('a,b\n5" pipe,1\n6,2\n7,3\n');
	});

	it('says the names of its columns', () => {
		expect(headerCells('"a ""x""", b,"c,d"\r\n1,2,3', ',')).toEqual(['a "x"', 'b', 'c,d']);
		expect(namesOf('a;b,c;d\n', 'csv')).toEqual(['a', 'b,c', 'd']);
		expect(namesOf('{"a":1,"b":[2]}\n{"a"', 'jsonl')).toEqual(['a', 'b']);
		expect(namesOf('{', 'jsonl')).toEqual([]);
		expect(namesOf('a,,b\n', 'csv')).toEqual([]);
	});

	it('is the whole file where that is small, and whether a label is among its columns', async () => {
		const file = new File(['age,Outcome\n1,2\n'], 'a.csv');
		expect(await chosen(file)).toEqual({ table: { blob: file, filename: 'a.csv', names: ['age', 'Outcome'], lacksLabel: false } });
		const packed = new File([gzipSync('age,died\n1,2\n')], 'a.csv.gz');
		expect(await chosen(packed)).toEqual({ table: { blob: packed, filename: 'a.csv.gz', names: ['age', 'died'], lacksLabel: true } });
	});

	it('is unpacked and cut where it is large', async () => {
		const row = `${'1234567,'.repeat(10)}1\n`;
		const packed = new File([gzipSync(`a,b,c,d,e,f,g,h,i,j,k\n${row.repeat(120_000)}`)], 'a.csv.gz');
		const found = await chosen(packed);
		const { blob, filename } = 'table' in found ? found.table : expect.fail('expected a table');
		expect(filename).toBe('a.csv');
		expect(blob.size).toBeLessThanOrEqual(8 * 2 ** 20);
		expect(blob.size).toBeGreaterThan(8 * 2 ** 20 - 2 * row.length);
		expect((await blob.text()).endsWith(row)).toBe(true);
	});

	it('is the file as it is where it cannot be unpacked', async () => {
		const broken = new File(['no gzip'], 'a.csv.gz');
		expect(await chosen(broken)).toEqual({ table: { blob: broken, filename: 'a.csv.gz', names: [], lacksLabel: false } });
	});

	it('is none of an archive of arrays, whose files are listed', async () => {
		const found = await chosen(new File([readFileSync(new URL('../../cli/sample/spam-mail.zip', import.meta.url))], 'spam-mail.zip'));
		expect('arrays' in found && found.arrays.filter((name) => name.endsWith('labels.npy')).length).toBe(3);
	});
});
