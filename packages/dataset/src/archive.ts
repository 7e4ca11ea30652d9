import { stat } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { ProblemError } from '@steelyard/contracts';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { type Limits, RATIO_FREE_BYTES } from './limits.js';
import type { Member, Source } from './member.js';
import { refusal } from './refusal.js';

const STORED = 0;
const DEFLATED = 8;
const FILE_TYPE = 0o170000;
const LINK = 0o120000;

/** The error for the user: what the zip reader reports of a broken archive is a refusal, a failure of the disk stays what it is. */
const archiveError = (error: unknown, name: string): unknown =>
	error instanceof ProblemError || (error instanceof Error && 'syscall' in error)
		? error
		: refusal(name, 'a readable zip archive', error instanceof Error ? error.message : String(error));

function checkEntry(entry: Entry): void {
	const name = entry.fileName;
	if (((entry.externalFileAttributes >>> 16) & FILE_TYPE) === LINK) throw refusal(name, 'a regular file', 'a symbolic link');
	if (entry.isEncrypted()) throw refusal(name, 'an entry without encryption', 'an encrypted one');
	if (entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED)
		throw refusal(name, 'compression method 0 (stored) or 8 (deflate)', `method ${entry.compressionMethod}`);
}

async function* entryChunks(zip: ZipFile, entry: Entry, name: string): AsyncGenerator<Uint8Array> {
	let sum = 0;
	try {
		for await (const chunk of await zip.openReadStreamPromise(entry)) {
			sum = crc32(chunk as Uint8Array, sum);
			yield chunk as Uint8Array;
		}
	} catch (error) {
		throw archiveError(error, name);
	}
	if (sum !== entry.crc32)
		throw refusal(name, `contents with checksum ${entry.crc32.toString(16)}`, `${sum.toString(16)}: the archive is damaged`);
}

async function listEntries(zip: ZipFile, limits: Limits): Promise<Map<string, Entry>> {
	if (zip.entryCount > limits.entries) throw refusal('The archive', `at most ${limits.entries} entries`, `${zip.entryCount}`);
	const entries = new Map<string, Entry>();
	for await (const entry of zip.eachEntry()) {
		checkEntry(entry);
		if (entry.fileName.endsWith('/') || entry.fileName.startsWith('__MACOSX/')) continue;
		if (entries.has(entry.fileName)) throw refusal(entry.fileName, 'one entry of this name', 'two');
		entries.set(entry.fileName, entry);
	}
	return entries;
}

const isMember = (path: string): boolean => path.endsWith('.npy') || path === 'manifest.json' || path.endsWith('/manifest.json');

/** The path of the one folder at the top that holds the dataset, with its slash; empty where the files themselves lie at the top. */
function topFolder(paths: string[]): string {
	const members = paths.filter(isMember);
	if (members.some((path) => !path.includes('/'))) return '';
	const tops = [...new Set(members.map((path) => path.slice(0, path.indexOf('/') + 1)))];
	if (tops.length > 1)
		throw refusal(
			'The archive',
			'the files of one dataset at the top or in one folder',
			`${tops.length} folders: ${tops.slice(0, 3).join(', ')}`,
		);
	return tops[0] ?? '';
}

/**
 * Opens a zip archive (an `.npz` file is one) whose members are stored or deflated, at the top or in one folder at the top. Refuses paths that leave the archive,
 * links, encryption, duplicate names, too many entries and an unpacked size out of proportion, before anything is unpacked. While a member is read, its true size and
 * its checksum are compared with the declared ones.
 */
export async function openArchive(path: string, limits: Limits): Promise<Source> {
	let zip: ZipFile | undefined;
	try {
		zip = await openPromise(path, { autoClose: false, validateEntrySizes: true });
		const entries = await listEntries(zip, limits);
		const unpacked = [...entries.values()].reduce((sum, entry) => sum + entry.uncompressedSize, 0);
		const packed = (await stat(path)).size;
		if (unpacked > RATIO_FREE_BYTES && unpacked > packed * limits.ratio)
			throw refusal(
				'The archive',
				`at most ${limits.ratio} times its own size unpacked`,
				`${Math.round(unpacked / packed)} times (${unpacked} bytes)`,
			);
		const opened = zip;
		const top = topFolder([...entries.keys()]);
		const members = new Map<string, Member>();
		for (const [full, entry] of entries) {
			const name = full.slice(top.length);
			if (!full.startsWith(top) || name.includes('/')) continue;
			members.set(name, { name, bytes: entry.uncompressedSize, chunks: () => entryChunks(opened, entry, name) });
		}
		return { members, close: () => opened.close() };
	} catch (error) {
		zip?.close();
		throw archiveError(error, 'The archive');
	}
}
