import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** How many rows of a split are kept as they were uploaded, and how many bytes these have, each split and all together. */
const MOST = { rows: 1000, bytes: 4 * 2 ** 20, all: 32 * 2 ** 20 };

const keptFile = (split: string): string => `rows-${split}.jsonl`;

/** JSON has no infinite numbers; their text is read as they are. */
const finite = (_: string, value: unknown): unknown => (typeof value === 'number' && !Number.isFinite(value) ? String(value) : value);

/** The first rows of every split of a table, as they were uploaded: collected in bounded memory, and written beside the arrays as lines of JSON, below one with the columns. */
export class KeptRows {
	readonly #columns: readonly string[];
	readonly #places: readonly number[];
	readonly #splits: readonly { readonly name: string; readonly lines: string[]; bytes: number; isFull: boolean }[];
	readonly #bytes: number;

	/** `without`: columns that are not kept. */
	constructor(splits: readonly string[], columns: readonly string[], without: ReadonlySet<string>) {
		this.#places = columns.flatMap((name, place) => (without.has(name) ? [] : [place]));
		this.#columns = this.#places.map((place) => columns[place] as string);
		this.#splits = splits.map((name) => ({ name, lines: [], bytes: 0, isFull: false }));
		this.#bytes = Math.min(MOST.bytes, MOST.all / splits.length);
	}

	/** Whether a split, by its place among them, takes no more rows. */
	isFull(split: number): boolean {
		return this.#splits[split]?.isFull !== false;
	}

	/** Takes the next row of a split, with a cell for every column. */
	add(split: number, row: readonly unknown[]): void {
		const kept = this.#splits[split];
		if (kept === undefined || kept.isFull) return;
		const line = JSON.stringify(
			this.#places.map((place) => row[place] ?? null),
			finite,
		);
		kept.bytes += Buffer.byteLength(line) + 1;
		if (kept.bytes <= this.#bytes) kept.lines.push(line);
		kept.isFull = kept.bytes > this.#bytes || kept.lines.length === MOST.rows;
	}

	async write(folder: string): Promise<void> {
		const head = JSON.stringify(this.#columns);
		for (const { name, lines } of this.#splits) await writeFile(join(folder, keptFile(name)), `${[head, ...lines].join('\n')}\n`);
	}
}

/** Some of the rows of a split that were kept, by the names of their columns, and how many were; none of a dataset of an earlier version. */
export async function readKeptRows(
	folder: string,
	split: string,
	{ offset, limit }: { offset: number; limit: number },
): Promise<{ kept: number; rows: Record<string, unknown>[] }> {
	const text = await readFile(join(folder, keptFile(split)), 'utf8').catch((error: NodeJS.ErrnoException) => {
		if (error.code === 'ENOENT') return null;
		throw error;
	});
	if (text === null) return { kept: 0, rows: [] };
	const [head = '[]', ...lines] = text.trimEnd().split('\n');
	const columns = JSON.parse(head) as string[];
	const rows = lines.slice(offset, offset + limit).map((line) => {
		const cells = JSON.parse(line) as unknown[];
		return Object.fromEntries(columns.map((name, at) => [name, cells[at]]));
	});
	return { kept: lines.length, rows };
}
