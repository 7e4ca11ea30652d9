import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Table } from './cell.js';
import { openCsv } from './csv.js';
import { openJsonLines } from './json-lines.js';
import { TABLE_LIMITS, type TableLimits } from './limits.js';
import { openParquet } from './parquet.js';
import { TableError } from './table-error.js';
import { textOf } from './text.js';

type TableFormat = 'csv' | 'tsv' | 'jsonl' | 'parquet';

/** Up to this unpacked size a file may have any ratio. */
const RATIO_FREE_BYTES = 16 * 2 ** 20;

/** The format of a table by the name of its file, and whether gzip has packed it; null for the name of no table. */
export function formatOf(name: string): { format: TableFormat; gzipped: boolean } | null {
	const [, ending, gz] = /\.(csv|tsv|txt|jsonl|ndjson|parquet)(\.gz)?$/i.exec(name) ?? [];
	if (ending === undefined) return null;
	const known = ending.toLowerCase();
	const format = known === 'txt' ? 'csv' : known === 'ndjson' ? 'jsonl' : (known as TableFormat);
	return { format, gzipped: gz !== undefined };
}

async function* unpacked(path: string, file: string, limits: TableLimits): AsyncGenerator<Uint8Array> {
	const packed = (await stat(path)).size;
	// An error of any part ends the last one, which is read here.
	const stream = pipeline(createReadStream(path), createGunzip(), () => {});
	let bytes = 0;
	try {
		for await (const chunk of stream) {
			bytes += (chunk as Uint8Array).length;
			if (bytes > limits.bytes) throw new TableError(file, `at most ${limits.bytes} bytes unpacked`, 'more');
			if (bytes > RATIO_FREE_BYTES && bytes > packed * limits.ratio)
				throw new TableError(file, `at most ${limits.ratio} times its own size unpacked`, 'more');
			yield chunk as Uint8Array;
		}
	} catch (error) {
		if (error instanceof TableError || 'syscall' in (error as object)) throw error;
		throw new TableError(file, 'a whole gzip file', (error as Error).message);
	} finally {
		stream.destroy();
	}
}

export type OpenTableOptions = {
	/** What the file is called; its ending says its format. */
	file: string;
	/** The character between cells of a csv file; guessed unless given. */
	delimiter?: string | undefined;
	limits?: TableLimits;
};

/** Opens a table of the format that the name of its file says. Throws TableError for one that cannot be read. */
export async function openTable(path: string, { file, delimiter, limits = TABLE_LIMITS }: OpenTableOptions): Promise<Table> {
	const { format, gzipped } = formatOf(file) ?? { format: null, gzipped: false };
	if (format === null)
		throw new TableError(
			file,
			'a name that ends in .csv, .tsv, .txt, .jsonl, .ndjson or .parquet, with .gz behind it where gzip has packed it',
			'another',
		);
	if (format === 'parquet') {
		if (gzipped) throw new TableError(file, 'a parquet file, which packs itself', 'one that gzip has packed');
		return openParquet(path, file, limits);
	}
	const source = {
		file,
		text: () => textOf(file, gzipped ? unpacked(path, file, limits) : createReadStream(path, { highWaterMark: 2 ** 20 })),
	};
	if (format === 'jsonl') return openJsonLines(source, limits);
	return openCsv(source, { delimiter: delimiter ?? (format === 'tsv' ? '\t' : undefined), limits });
}

/** Opens a csv file that is in memory. Throws TableError for one that cannot be read. */
export async function openCsvBytes(bytes: Uint8Array, { file, delimiter, limits = TABLE_LIMITS }: OpenTableOptions): Promise<Table> {
	async function* chunks(): AsyncGenerator<Uint8Array> {
		yield bytes;
	}
	return openCsv({ file, text: () => textOf(file, chunks()) }, { delimiter, limits });
}
