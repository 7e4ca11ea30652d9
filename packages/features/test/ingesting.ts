import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ColumnProfile, DatasetProfile, TableManifest } from '@steelyard/contracts';
import { ingestTable } from '@steelyard/features';
import { openTable } from '@steelyard/table';
import { afterEach, beforeEach, expect } from 'vitest';

let root: string;
beforeEach(async () => {
	root = await mkdtemp(join(tmpdir(), 'steelyard-features-'));
});
afterEach(() => rm(root, { recursive: true }));

export type Files = Readonly<Record<string, string | Uint8Array>>;
let made = 0;

/** Takes in tables by the names of their files; one alone may be given as its text. */
export async function ingest(
	files: Files | string,
	manifest: TableManifest = {},
	limits: { bytes?: number } = {},
): Promise<{ profile: DatasetProfile; target: string }> {
	const home = join(root, String(made++));
	const [target, work] = [join(home, 'target'), join(home, 'work')];
	await mkdir(target, { recursive: true });
	await mkdir(work);
	const tables = await Promise.all(
		Object.entries(typeof files === 'string' ? { 't.csv': files } : files).map(async ([file, text]) => {
			await writeFile(join(home, file), text);
			return openTable(join(home, file), { file, delimiter: manifest.delimiter });
		}),
	);
	return { ...(await ingestTable(tables, manifest, target, { work, ...limits })), target };
}

export const refusal = (
	files: Files | string,
	manifest: TableManifest = {},
	limits = {},
): Promise<{ message: string; param: string | null }> =>
	ingest(files, manifest, limits).then(
		() => expect.unreachable('it was taken'),
		(error) => error,
	);

/** A table of `rows` rows, each column by a function of the row. */
export function csv(rows: number, columns: Readonly<Record<string, (row: number) => unknown>>, delimiter = ','): string {
	const lines = Array.from({ length: rows }, (_, row) =>
		Object.values(columns)
			.map((cell) => String(cell(row)))
			.join(delimiter),
	);
	return [Object.keys(columns).join(delimiter), ...lines].join('\n');
}

/** The same in json lines, so that cells keep their type. */
export const jsonLines = (rows: number, columns: Readonly<Record<string, (row: number) => unknown>>): string =>
	Array.from({ length: rows }, (_, row) =>
		JSON.stringify(Object.fromEntries(Object.entries(columns).map(([name, cell]) => [name, cell(row)]))),
	).join('\n');

export const columnOf = ({ table }: DatasetProfile, name: string): ColumnProfile =>
	table?.columns.find((column) => column.name === name) ?? expect.unreachable(`there is no column ${name}`);
