import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { Option } from 'commander';
import yazl from 'yazl';
import { jsonFrom } from './json-file.js';
import { UsageError } from './output.js';
import type { Upload } from './upload-line.js';

const FILES = /\.(zip|npz|parquet|(?:csv|tsv|txt|jsonl|ndjson)(?:\.gz)?)$/i;
const EXPECTED = 'a table (.csv, .tsv, .txt, .jsonl, .ndjson, each also with .gz, or .parquet), a folder of .npy files, a .zip or a .npz';

/** The arrays and the manifest of a folder as a zip archive, which is made while it is read. Throws UsageError where there are no arrays. */
async function zipped(folder: string): Promise<ReadableStream<Uint8Array>> {
	const names = (await readdir(folder)).filter((name) => name.endsWith('.npy') || name === 'manifest.json').sort();
	if (!names.some((name) => name.endsWith('.npy')))
		throw new UsageError(`${folder} holds no .npy file; expected train_<modality>.npy, train_labels.npy, …`);
	const zip = new yazl.ZipFile();
	const output = new Readable().wrap(zip.outputStream);
	// A file that cannot be read ends the upload.
	zip.on('error', (error: Error) => output.destroy(error));
	for (const name of names) zip.addFile(join(folder, name), name, { compress: false });
	zip.end();
	return Readable.toWeb(output) as ReadableStream<Uint8Array>;
}

/** What to upload for a path: a folder as a zip archive, a file as it is. Throws UsageError for anything else. */
export async function sourceOf(path: string): Promise<Upload & { filename: string }> {
	const found = await stat(path).catch(() => {
		throw new UsageError(`${path} does not exist; expected ${EXPECTED}`);
	});
	if (found.isDirectory()) return { body: await zipped(path), bytes: null, filename: `${basename(resolve(path)) || 'dataset'}.zip` };
	if (!FILES.test(path)) throw new UsageError(`${path} is not ${EXPECTED}`);
	return { body: Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>, bytes: found.size, filename: basename(path) };
}

/** The options that say how a table is read. */
export const readingOptions = (): Option[] => [
	new Option(
		'--label <column>',
		'of a table: the column to predict; several times, or as a pattern such as "finding_*", columns of 0 and 1 of a multilabel task',
	).argParser((column: string, before: readonly string[] = []) => [...before, column]),
	new Option('--manifest <file>', 'of a table: a JSON file that says what its columns are'),
];
export type ReadingOptions = { label?: readonly string[]; manifest?: string };

/** What reading options say. Throws UsageError for a file that cannot be read. */
export async function readingOf({ label = [], manifest }: ReadingOptions): Promise<{ label?: string; manifest?: object }> {
	const said = manifest === undefined ? undefined : await jsonFrom<object>(manifest);
	const [first, second] = label;
	// One column goes beside the manifest; several are a list, which only a manifest can hold.
	if (second !== undefined) return { manifest: { ...said, label } };
	return { ...(first === undefined ? {} : { label: first }), ...(said === undefined ? {} : { manifest: said }) };
}
