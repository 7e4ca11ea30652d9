import { open, stat } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { ArchiveError } from './archive-error.js';

const STORED = 0;
const DEFLATED = 8;
const FILE_TYPE = 0o170000;
const LINK = 0o120000;

/** Up to this unpacked size an archive may have any ratio: a mask of ones can be packed to a thousandth of its size, and does no harm. */
const RATIO_FREE_BYTES = 16 * 2 ** 20;

/** How much an archive may hold. */
export type ArchiveLimits = {
	/** The most entries. */
	readonly entries: number;
	/** The largest ratio of the unpacked to the packed size, where it unpacks to more than 16 MiB. */
	readonly ratio: number;
};

/** One file of an archive. */
export type ArchivedFile = {
	/** Its path in the archive, whose parts are joined by `/`. */
	readonly path: string;
	/** The size that the archive declares. */
	readonly bytes: number;
	/** The contents, in pieces of any size. Throws ArchiveError where they are damaged or have another size than declared. Whoever ends the iteration early releases what it holds. */
	chunks(): AsyncGenerator<Uint8Array>;
};

/** The files of an archive by their paths, without folders and what a Mac adds. */
export type ZipArchive = { readonly files: ReadonlyMap<string, ArchivedFile>; close(): void };

/** The codes by which zlib says that it could not have memory. */
const OUT_OF_MEMORY: ReadonlySet<string | undefined> = new Set(['Z_MEM_ERROR', 'ERR_ZLIB_INITIALIZATION_FAILED']);

/** What the zip reader reports of a broken archive is an ArchiveError; a failure of the disk stays what it is, and so does a lack of memory. */
const archiveError = (error: unknown, file: string): unknown => {
	if (error instanceof ArchiveError || (error instanceof Error && 'syscall' in error)) return error;
	if (OUT_OF_MEMORY.has((error as NodeJS.ErrnoException).code)) return new Error('zlib is out of memory', { cause: error });
	return new ArchiveError(file, 'a readable zip archive', error instanceof Error ? error.message : String(error));
};

function checkEntry(entry: Entry): void {
	const path = entry.fileName;
	if (((entry.externalFileAttributes >>> 16) & FILE_TYPE) === LINK) throw new ArchiveError(path, 'a regular file', 'a symbolic link');
	if (entry.isEncrypted()) throw new ArchiveError(path, 'an entry without encryption', 'an encrypted one');
	if (entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED)
		throw new ArchiveError(path, 'compression method 0 (stored) or 8 (deflate)', `method ${entry.compressionMethod}`);
}

async function* entryChunks(zip: ZipFile, entry: Entry): AsyncGenerator<Uint8Array> {
	let sum = 0;
	try {
		for await (const chunk of await zip.openReadStreamPromise(entry)) {
			sum = crc32(chunk as Uint8Array, sum);
			yield chunk as Uint8Array;
		}
	} catch (error) {
		throw archiveError(error, entry.fileName);
	}
	if (sum !== entry.crc32)
		throw new ArchiveError(
			entry.fileName,
			`contents with checksum ${entry.crc32.toString(16)}`,
			`${sum.toString(16)}: the archive is damaged`,
		);
}

async function listFiles(zip: ZipFile, limits: ArchiveLimits): Promise<Map<string, ArchivedFile>> {
	if (zip.entryCount > limits.entries) throw new ArchiveError('The archive', `at most ${limits.entries} entries`, `${zip.entryCount}`);
	const files = new Map<string, ArchivedFile>();
	for await (const entry of zip.eachEntry()) {
		checkEntry(entry);
		const path = entry.fileName;
		if (path.endsWith('/') || path.startsWith('__MACOSX/')) continue;
		if (files.has(path)) throw new ArchiveError(path, 'one entry of this name', 'two');
		files.set(path, { path, bytes: entry.uncompressedSize, chunks: () => entryChunks(zip, entry) });
	}
	return files;
}

/** Whether a file begins as a zip archive does, whatever its name is. */
export async function isZip(path: string): Promise<boolean> {
	const file = await open(path, 'r');
	try {
		const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
		return bytesRead === 4 && ['PK\u0003\u0004', 'PK\u0005\u0006'].includes(buffer.toString('latin1'));
	} finally {
		await file.close();
	}
}

/**
 * Opens a zip archive whose entries are stored or deflated. Throws ArchiveError for paths that leave the archive, links, encryption, duplicate names, too many
 * entries and an unpacked size out of proportion, before anything is unpacked. While a file is read, its true size and its checksum are compared with the
 * declared ones.
 */
export async function openZip(path: string, limits: ArchiveLimits): Promise<ZipArchive> {
	let zip: ZipFile | undefined;
	try {
		zip = await openPromise(path, { autoClose: false, validateEntrySizes: true });
		const files = await listFiles(zip, limits);
		const unpacked = [...files.values()].reduce((sum, { bytes }) => sum + bytes, 0);
		const packed = (await stat(path)).size;
		if (unpacked > RATIO_FREE_BYTES && unpacked > packed * limits.ratio)
			throw new ArchiveError(
				'The archive',
				`at most ${limits.ratio} times its own size unpacked`,
				`${Math.round(unpacked / packed)} times (${unpacked} bytes)`,
			);
		const opened = zip;
		return { files, close: () => opened.close() };
	} catch (error) {
		zip?.close();
		throw archiveError(error, 'The archive');
	}
}
