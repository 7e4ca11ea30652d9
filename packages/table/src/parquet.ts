import { type FileHandle, open } from 'node:fs/promises';
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetRead } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import type { Rows, Table } from './cell.js';
import { columnNames } from './column-names.js';
import type { TableLimits } from './limits.js';
import { plainCell } from './plain-cell.js';
import { TableError } from './table-error.js';

/** Rows that are given at a time. A row group of the file is read as a whole. */
const ROWS = 8192;

async function readAt(file: FileHandle, start: number, end: number): Promise<ArrayBuffer> {
	const bytes = new Uint8Array(end - start);
	let done = 0;
	while (done < bytes.length) {
		const { bytesRead } = await file.read(bytes, done, bytes.length - done, start + done);
		if (bytesRead === 0) throw new Error(`the file ends at byte ${start + done}`);
		done += bytesRead;
	}
	return bytes.buffer;
}

async function withBuffer<T>(path: string, use: (buffer: AsyncBuffer) => Promise<T>): Promise<T> {
	const file = await open(path);
	try {
		const { size } = await file.stat();
		return await use({ byteLength: size, slice: (start, end = size) => readAt(file, start, end) });
	} finally {
		await file.close();
	}
}

/** The names of the columns: the children of the root, which comes first in the schema. */
function columnsOf({ schema }: FileMetaData): string[] {
	const names: string[] = [];
	const skip = (at: number): number => {
		let next = at + 1;
		for (let child = 0; child < (schema[at]?.num_children ?? 0); child++) next = skip(next);
		return next;
	};
	let at = 1;
	for (let child = 0; child < (schema[0]?.num_children ?? 0); child++) {
		names.push(schema[at]?.name ?? '');
		at = skip(at);
	}
	return names;
}

/** Opens a parquet file. Throws TableError for one that cannot be read. */
export async function openParquet(path: string, file: string, limits: TableLimits): Promise<Table> {
	const refused = (error: unknown): TableError =>
		error instanceof TableError
			? error
			: new TableError(file, 'a readable parquet file', error instanceof Error ? error.message : String(error));
	const metadata = await withBuffer(path, (buffer) => parquetMetadataAsync(buffer)).catch((error: unknown) => {
		throw refused(error);
	});
	const fields = columnsOf(metadata);
	const { names, renamed } = columnNames(file, fields, limits);
	/** One column of a row group. Of several at a time the reader leaves errors to nobody. */
	const columnOf = (name: string, rowStart: number, rowEnd: number): Promise<unknown[]> =>
		withBuffer(path, async (buffer) => {
			let values: unknown[] = [];
			const onComplete = (rows: unknown[][]): void => {
				values = rows.map(([value]) => value);
			};
			await parquetRead({ file: buffer, metadata, rowStart, rowEnd, columns: [name], compressors, onComplete });
			return values;
		});
	async function* rows(): AsyncGenerator<Rows> {
		let first = 0;
		for (const group of metadata.row_groups) {
			const end = first + Number(group.num_rows);
			const columns: unknown[][] = [];
			try {
				for (const name of fields) columns.push(await columnOf(name, first, end));
			} catch (error) {
				throw refused(error);
			}
			if (columns.some((values) => values.length !== end - first))
				throw new TableError(file, `${end - first} rows in every column of a row group`, 'another number', { row: first });
			for (let from = first; from < end; from += ROWS) {
				const some = Array.from({ length: Math.min(ROWS, end - from) }, (_, i) =>
					fields.map((column, c) => plainCell(columns[c]?.[from - first + i], { file, row: from + i, column })),
				);
				yield { first: from, rows: some };
			}
			first = end;
		}
	}
	return { file, columns: names, renamed, delimiter: null, rows };
}
