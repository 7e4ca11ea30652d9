import { createWriteStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { ZipFile } from 'yazl';
import { ingest } from '../src/index.js';
import { ingestFiles, refusedSource } from './ingest-files.js';
import { temporaryFolders } from './temporary-folder.js';
import { type Files, npy, small } from './write-npy.js';

type Options = { mode?: number; compress?: boolean };

async function zipOf(path: string, files: Files, options: Options = {}): Promise<void> {
	const zip = new ZipFile();
	for (const [name, contents] of Object.entries(files)) zip.addBuffer(Buffer.from(contents), name, options);
	zip.end();
	await pipeline(zip.outputStream, createWriteStream(path));
}

/** Field offsets of a central directory record (APPNOTE 6.3.10, 4.3.12). */
const FLAGS = 8;
const METHOD = 10;
const CRC = 16;
const SIZE = 24;

/** Changes the archive's bytes at the first central directory record. */
async function tamper(path: string, change: (bytes: Buffer, record: number) => void): Promise<void> {
	const bytes = await readFile(path);
	change(bytes, bytes.indexOf(Buffer.from([0x50, 0x4b, 1, 2])));
	await writeFile(path, bytes);
}

/** Replaces every occurrence of a name by another of the same length. */
async function rename(path: string, from: string, to: string): Promise<void> {
	await writeFile(path, Buffer.from((await readFile(path)).toString('latin1').replaceAll(from, to), 'latin1'));
}

async function zipped(files: Files, options?: Options): Promise<{ zip: string; target: string }> {
	const { root, target } = await temporaryFolders();
	const zip = join(root, 'data.zip');
	await zipOf(zip, files, options);
	return { zip, target };
}

const inFolder = (folder: string, files: Files): Files =>
	Object.fromEntries(Object.entries(files).map(([name, bytes]) => [folder + name, bytes]));

describe('an archive', () => {
	it.each<[string, Files, Options]>([
		['stored at the top', small(), { compress: false }],
		['deflated at the top', small(), { compress: true }],
		[
			'in one top folder, beside what a Mac adds',
			{ ...inFolder('data/', small()), '__MACOSX/data/._train_x.npy': 'x', 'data/.DS_Store': 'x' },
			{},
		],
	])('%s gives the profile that its folder gives', async (_how, files, options) => {
		const { profile } = await ingestFiles(small());
		const { zip, target } = await zipped(files, options);
		expect((await ingest(zip, target)).profile).toEqual(profile);
	});

	it('is refused when it is no zip file', async () => {
		const { zip, target } = await zipped({});
		await writeFile(zip, 'no archive, but long enough to be looked at for one');
		await refusedSource(zip, target, /The archive: expected a readable zip archive, found End of central directory/, 'The archive');
	});

	it('is refused when it is truncated', async () => {
		const { zip, target } = await zipped(small());
		await writeFile(zip, (await readFile(zip)).subarray(0, -30));
		await refusedSource(zip, target, /The archive: expected a readable zip archive/, 'The archive');
	});

	it.each([
		['../', /invalid relative path/],
		['/a/', /absolute path/],
		['C:/', /absolute path/],
	])('is refused when a path begins with %s', async (start, message) => {
		const { zip, target } = await zipped(inFolder('abc', small()));
		await rename(zip, 'abctrain_x', `${start}train_x`);
		await refusedSource(zip, target, message, 'The archive');
	});

	it('is refused when an entry is a symbolic link, even one that would not be read', async () => {
		const { zip, target } = await zipped({ 'notes.txt': '/etc/passwd' }, { mode: 0o120777 });
		await refusedSource(zip, target, /notes.txt: expected a regular file, found a symbolic link/, 'notes.txt');
	});

	it('is refused when an entry is encrypted', async () => {
		const { zip, target } = await zipped(small());
		await tamper(zip, (bytes, record) => bytes.writeUInt16LE(bytes.readUInt16LE(record + FLAGS) | 1, record + FLAGS));
		await refusedSource(zip, target, /train_x.npy: expected an entry without encryption/, 'train_x.npy');
	});

	it('is refused when an entry is compressed in another way', async () => {
		const { zip, target } = await zipped(small());
		await tamper(zip, (bytes, record) => bytes.writeUInt16LE(12, record + METHOD));
		await refusedSource(zip, target, /train_x.npy: expected compression method 0 .* found method 12/, 'train_x.npy');
	});

	it('is refused when a name stands twice', async () => {
		const { zip, target } = await zipped({ ...small(), 'train_y.npy': npy('<f4', [4, 1], [1, 2, 3, 4]) });
		await rename(zip, 'train_y.npy', 'train_x.npy');
		await refusedSource(zip, target, /train_x.npy: expected one entry of this name, found two/, 'train_x.npy');
	});

	it('is refused when datasets lie in two folders', async () => {
		const { zip, target } = await zipped({ ...inFolder('a/', small()), ...inFolder('b/', small()) });
		await refusedSource(
			zip,
			target,
			/expected the files of one dataset at the top or in one folder, found 2 folders: a\/, b\//,
			'The archive',
		);
	});

	it('is refused when it has too many entries', async () => {
		const { zip, target } = await zipped(small());
		await refusedSource(zip, target, /expected at most 3 entries, found 4/, 'The archive', { entries: 3 });
	});

	it('is refused when it declares to unpack out of proportion, whoever would read it', async () => {
		const { zip, target } = await zipped({ ...small(), 'bomb.bin': Buffer.alloc(17 * 2 ** 20) });
		await refusedSource(zip, target, /expected at most 200 times its own size unpacked, found \d+ times/, 'The archive');
	});

	it('is refused when an entry unpacks to more than it declares', async () => {
		const big = npy('<f4', [40_000, 2], new Float32Array(80_000));
		const { zip, target } = await zipped({ 'train_x.npy': big, 'train_labels.npy': npy('<i8', [4], [0, 1, 0, 1]) });
		const declared = npy('<f4', [4, 2], new Float32Array(8)).length;
		await tamper(zip, (bytes, record) => bytes.writeUInt32LE(declared, record + SIZE));
		await refusedSource(
			zip,
			target,
			/train_x.npy: expected a readable zip archive, found too many bytes|train_x.npy: expected 320128 bytes/,
			'train_x.npy',
		);
	});

	it('is refused when an entry unpacks to more than it declares and its header agrees with the lie', async () => {
		const honest = npy('<f4', [4, 2], [1, 2, 3, 4, 5, 6, 7, 8]);
		const { zip, target } = await zipped({ ...small(), 'train_x.npy': Buffer.concat([honest, Buffer.alloc(1_000_000)]) });
		await tamper(zip, (bytes, record) => bytes.writeUInt32LE(honest.length, record + SIZE));
		await refusedSource(zip, target, /train_x.npy: expected a readable zip archive, found too many bytes in the stream/, 'train_x.npy');
	});

	it('is refused when the contents do not have their checksum', async () => {
		const { zip, target } = await zipped(small());
		await tamper(zip, (bytes, record) => bytes.writeUInt32LE(1, record + CRC));
		await refusedSource(zip, target, /train_x.npy: expected contents with checksum 1, .* the archive is damaged/, 'train_x.npy');
	});

	it('is refused when its compressed data are damaged', async () => {
		const noise = Float32Array.from({ length: 4000 }, (_, i) => Math.sin(i));
		const { zip, target } = await zipped({
			'train_x.npy': npy('<f4', [4, 1000], noise),
			'train_labels.npy': npy('<i8', [4], [0, 1, 0, 1]),
		});
		await tamper(zip, (bytes) => bytes.fill(0xff, 2000, 2100));
		await refusedSource(zip, target, /train_x.npy/, 'train_x.npy');
	});
});
