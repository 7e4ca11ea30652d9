import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { UsageError } from './output.js';

/** Rows that are given at a time. */
const TOGETHER = 1024;

type Row = Record<string, unknown>;

function rowOf(line: string, file: string, row: number): Row {
	try {
		const value: unknown = JSON.parse(line);
		if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Row;
	} catch {
		// said below
	}
	throw new UsageError(`${file} row ${row}: expected a JSON object in every line, found ${line.slice(0, 60)}`);
}

/** The objects of a file of json lines, some at a time; `first` is the number of the first of them, counted from 0. Throws UsageError for a line that is none. */
export async function* jsonRows(file: string): AsyncGenerator<{ first: number; rows: Row[] }> {
	let first = 0;
	let rows: Row[] = [];
	for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
		if (line.trim() === '') continue;
		rows.push(rowOf(line, file, first + rows.length));
		if (rows.length < TOGETHER) continue;
		yield { first, rows };
		first += rows.length;
		rows = [];
	}
	if (rows.length > 0) yield { first, rows };
}
