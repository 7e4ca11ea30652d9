import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { openTable, TABLE_LIMITS, type Table, TableError } from '@steelyard/table';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let folder: string;
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'steelyard-table-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function open(file: string, content: string | Uint8Array, options: { delimiter?: string; row?: number } = {}): Promise<Table> {
	const path = join(folder, file);
	await writeFile(path, content);
	const { row = TABLE_LIMITS.row, ...rest } = options;
	return openTable(path, { file, limits: { ...TABLE_LIMITS, row }, ...rest });
}

/** All rows of a table; each batch has to begin where the one before it ended. */
async function rowsOf(table: Table): Promise<unknown[][]> {
	const all: unknown[][] = [];
	for await (const { first, rows } of table.rows()) {
		expect(first).toBe(all.length);
		all.push(...rows.map((row) => [...row]));
	}
	return all;
}

async function refusal(file: string, content: string | Uint8Array, options = {}): Promise<string> {
	const error = await open(file, content, options)
		.then(rowsOf)
		.catch((reason: unknown) => reason);
	expect(error).toBeInstanceOf(TableError);
	return (error as Error).message;
}

const UTF16 = (text: string, bigEndian = false): Buffer => {
	const bytes = Buffer.from(`\ufeff${text}`, 'utf16le');
	return bigEndian ? bytes.swap16() : bytes;
};

describe('csv', () => {
	it.each([
		['commas', 'a,b\n1,2\n', ','],
		['semicolons, with decimal commas', 'a;b\n1,5;2,5\n2,5;3,5\n', ';'],
		['tabs', 'a\tb\n1\t2\n', '\t'],
		['bars', 'a|b\n1|2\n', '|'],
		['commas within quotes beside semicolons', 'a;b\n"x, y, z";2\n"p, q, r";3\n', ';'],
		['apostrophes, which quote nothing', "a,b\nit's,2\nthat's; so,3\n", ','],
		['line breaks within quotes', 'a,b\n"one\ntwo; three\nfour",2\n', ','],
	])('finds the delimiter of a table with %s', async (_, text, delimiter) => {
		const table = await open('t.csv', text);
		expect(table).toMatchObject({ columns: ['a', 'b'], delimiter });
		for (const row of await rowsOf(table)) expect(row).toHaveLength(2);
	});

	it('keeps every character of a cell, with doubled quotes, line breaks and spaces', async () => {
		const table = await open('t.csv', 'a,b\r\n"he said ""no""",  x \r\n"two\r\nlines",é😀\r\n');
		expect(await rowsOf(table)).toEqual([
			['he said "no"', '  x '],
			['two\nlines', 'é😀'],
		]);
	});

	it.each([
		['UTF-8 with a byte order mark', Buffer.from('\ufeffé,b\n1,2')],
		['UTF-16 with one', UTF16('é,b\n1,2')],
		['UTF-16 of the other order', UTF16('é,b\n1,2', true)],
		['lines that end as on an old Mac', Buffer.from('é,b\r1,2\r')],
		['no line break at the end', Buffer.from('é,b\r\n1,2')],
		['blank lines', Buffer.from('\né,b\n\n1,2\n\n')],
	])('reads %s', async (_, content) => {
		const table = await open('t.csv', content);
		expect(table.columns).toEqual(['é', 'b']);
		expect(await rowsOf(table)).toEqual([['1', '2']]);
	});

	it('gives columns of one name, and of none, names of their own', async () => {
		const table = await open('t.csv', 'x,x,,x_2\n1,2,3,4\n');
		expect(table.columns).toEqual(['x', 'x_3', 'column_2', 'x_2']);
		expect([...table.renamed]).toEqual([
			['x_3', 'x'],
			['column_2', null],
		]);
	});

	it('reads rows across the pieces in which a large file comes, twice alike', async () => {
		const lines = Array.from({ length: 60_000 }, (_, i) => `${i},"é, ${'x'.repeat(i % 50)}\n"`);
		const table = await open('t.csv', `a,b\n${lines.join('\n')}\n`);
		const rows = await rowsOf(table);
		expect(rows).toHaveLength(60_000);
		expect(rows.every(([a, b], i) => a === String(i) && b === `é, ${'x'.repeat(i % 50)}\n`)).toBe(true);
		expect(await rowsOf(table)).toEqual(rows);
	});

	it('is refused with the row where a row has other cells than the header, or a quote is wrong', async () => {
		expect(await refusal('t.csv', 'a,b\n1,2\n3\n')).toBe('t.csv row 1: expected 2 cells, as many as the header names, found 1');
		expect(await refusal('t.csv', 'a,b\n1,2,3\n')).toBe('t.csv row 0: expected 2 cells, as many as the header names, found 3');
		expect(await refusal('t.csv', 'a,b\n1,2\n"x" y,2\n')).toMatch(/^t.csv row 1: expected a quoted cell that ends/);
		expect(await refusal('t.csv', `a,b\n1,"${'x\n'.repeat(500)}`, { row: 100 })).toMatch(/rows of at most 100 characters/);
		expect(await refusal('t.csv', '')).toMatch(/a first row that names the columns, found none/);
		expect(await refusal('t.csv', Buffer.from([0x61, 0x2c, 0x62, 0x0a, 0xff, 0xfe, 0x2c, 0x31]))).toMatch(/text in UTF-8/);
	});

	it('takes empty cells behind the last column for nothing', async () => {
		expect(await rowsOf(await open('t.csv', 'a,b\n1,2,,\n'))).toEqual([['1', '2']]);
	});
});

describe('json lines', () => {
	it('reads fields as columns, and what a row lacks as nothing', async () => {
		const table = await open('t.jsonl', '{"a": 1, "b": "x"}\n\n{"b": true, "c": [1, 2.5]}\n{"a": null}');
		expect(table.columns).toEqual(['a', 'b', 'c']);
		expect(await rowsOf(table)).toEqual([
			[1, 'x', null],
			[null, 'true', [1, 2.5]],
			[null, null, null],
		]);
	});

	it('is refused with the row for what is no object, a new field, nested fields and images', async () => {
		expect(await refusal('t.jsonl', '{"a": 1}\n[1]\n')).toBe('t.jsonl row 1: expected a JSON object in every line, found a list');
		expect(await refusal('t.ndjson', '{"a": 1}\n{"a": \n')).toMatch(/^t.ndjson row 1: expected a JSON object in every line/);
		expect(await refusal('t.jsonl', '{"a": {"x": 1}}\n')).toMatch(
			/^t.jsonl row 0, column "a": expected text, a number or a list of these, found an object with the fields x/,
		);
		expect(await refusal('t.jsonl', '{"a": {"bytes": "…", "path": "a.png"}}\n')).toMatch(/images go in as arrays/);
		expect(await refusal('t.jsonl', `${'{"a": 1}\n'.repeat(1000)}{"z": 1}\n`)).toMatch(
			/row 1000: expected a field that one of the first 1000 rows has, found "z"/,
		);
	});
});

describe('parquet', () => {
	const columns = [
		{ name: 'n', data: [1.5, 2, null], type: 'DOUBLE' as const },
		{ name: 'big', data: [1n, 2n ** 60n, null], type: 'INT64' as const },
		{ name: 's', data: ['x', null, 'z'], type: 'STRING' as const },
		{ name: 'b', data: [true, false, null], type: 'BOOLEAN' as const },
		{ name: 't', data: [new Date(0), null, new Date(86_400_000)], type: 'TIMESTAMP' as const },
	];
	const file = (data: typeof columns) => new Uint8Array(parquetWriteBuffer({ columnData: data }));

	it('reads numbers, text, truth values and moments', async () => {
		const table = await open('t.parquet', file(columns));
		expect(table.columns).toEqual(['n', 'big', 's', 'b', 't']);
		expect(await rowsOf(table)).toEqual([
			[1.5, 1, 'x', 'true', '1970-01-01T00:00:00.000Z'],
			[2, String(2n ** 60n), null, 'false', null],
			[null, null, 'z', null, '1970-01-02T00:00:00.000Z'],
		]);
	});

	it('is refused where it is torn, or is none', async () => {
		const whole = file(columns);
		expect(await refusal('t.parquet', whole.subarray(0, whole.length - 9))).toMatch(/^t.parquet: expected a readable parquet file/);
		expect(await refusal('t.parquet', 'PAR1')).toMatch(/a readable parquet file/);
		expect(await refusal('t.parquet.gz', gzipSync(whole))).toMatch(/which packs itself/);
	});
});

describe('packed files', () => {
	it('are read as they unpack', async () => {
		expect(await rowsOf(await open('t.csv.gz', gzipSync('a,b\n1,2\n')))).toEqual([['1', '2']]);
		expect(await rowsOf(await open('t.jsonl.gz', gzipSync('{"a": 1}\n')))).toEqual([[1]]);
	});

	it('are refused where they are torn, or unpack out of proportion', async () => {
		const whole = gzipSync(`a\n${Array.from({ length: 5000 }, (_, i) => i).join('\n')}\n`);
		expect(await refusal('t.csv.gz', whole.subarray(0, 2000))).toMatch(/a whole gzip file/);
		expect(await refusal('t.csv.gz', gzipSync(Buffer.alloc(32 * 2 ** 20, 'x\n')))).toMatch(/at most 200 times its own size unpacked/);
	});
});

it('refuses the names of other files', async () => {
	expect(await refusal('t.xlsx', 'x')).toMatch(/a name that ends in .csv, .tsv/);
});
