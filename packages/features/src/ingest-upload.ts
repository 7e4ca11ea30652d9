import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type ArchivedFile, ArchiveError, openZip } from '@steelyard/archive';
import { type DatasetProfile, ProblemError, type TableManifest, type TablePreview } from '@steelyard/contracts';
import { DEFAULT_LIMITS, ingest } from '@steelyard/dataset';
import { formatOf, openTable, type Table, TableError } from '@steelyard/table';
import { ingestTable } from './ingest-table.js';
import { tableManifest } from './manifest.js';
import { previewTable } from './preview-table.js';

/** The most bytes of the manifest of a table in an archive. */
const MANIFEST_BYTES = 2 ** 20;

/** What was uploaded. */
export type Upload = {
	/** Where the file is, and what its sender called it: the ending says what it is. */
	readonly path: string;
	readonly filename: string;
	/** The name of a dataset whose manifest gives none. */
	readonly name: string;
	/** The manifest of a table as JSON, and the column to predict, where they came beside the file. */
	readonly manifest: string | null;
	readonly label: string | null;
	/** An empty folder for what is made on the way; on the disk of the target. */
	readonly work: string;
};

/** The tables of an upload, with what the manifest says; null for an upload of arrays. */
type Tables = { readonly tables: readonly Table[]; readonly manifest: TableManifest; readonly uploaded: unknown } | null;

const asProblem = (error: unknown): unknown => {
	if (error instanceof TableError) return new ProblemError('invalid_dataset', error.message, error.file);
	if (error instanceof ArchiveError) return new ProblemError('invalid_dataset', error.message, error.file);
	return error;
};

async function textOf(file: ArchivedFile): Promise<string> {
	if (file.bytes > MANIFEST_BYTES)
		throw new ProblemError(
			'invalid_dataset',
			`manifest.json: expected at most ${MANIFEST_BYTES} bytes, found ${file.bytes}`,
			'manifest.json',
		);
	const pieces: Uint8Array[] = [];
	for await (const chunk of file.chunks()) pieces.push(Uint8Array.from(chunk));
	return Buffer.concat(pieces).toString('utf8');
}

/** Unpacks the tables of an archive; null where it holds arrays, or nothing that is known. */
async function unpack({ path, work }: Upload): Promise<{ files: { path: string; file: string }[]; manifest: string | null } | null> {
	const archive = await openZip(path, DEFAULT_LIMITS);
	try {
		const members = [...archive.files.values()].filter((file) => !basename(file.path).startsWith('.'));
		const tables = members.filter((file) => formatOf(file.path) !== null);
		if (tables.length === 0 || members.some((file) => file.path.endsWith('.npy'))) return null;
		const bytes = tables.reduce((sum, file) => sum + file.bytes, 0);
		if (bytes > DEFAULT_LIMITS.bytes)
			throw new ProblemError(
				'invalid_dataset',
				`The archive: expected at most ${DEFAULT_LIMITS.bytes} bytes of tables, found ${bytes}`,
				'file',
			);
		const files = [];
		for (const [i, table] of tables.entries()) {
			const target = join(work, `table-${i}`);
			await pipeline(Readable.from(table.chunks()), createWriteStream(target));
			files.push({ path: target, file: basename(table.path) });
		}
		const manifest = members.find((file) => basename(file.path) === 'manifest.json');
		return { files, manifest: manifest === undefined ? null : await textOf(manifest) };
	} finally {
		archive.close();
	}
}

/** Finds the tables of an upload, and what its manifest and label say. */
async function tablesOf(upload: Upload): Promise<Tables> {
	await mkdir(upload.work, { recursive: true });
	const isTable = formatOf(upload.filename) !== null;
	const found = isTable ? { files: [{ path: upload.path, file: basename(upload.filename) }], manifest: null } : await unpack(upload);
	if (found === null) {
		const stray = upload.manifest !== null ? 'manifest' : upload.label !== null ? 'label' : null;
		if (stray !== null)
			throw new ProblemError(
				'invalid_request',
				`A ${stray} beside the file is for tables: an archive of arrays has a manifest.json in it`,
				stray,
			);
		return null;
	}
	if (found.manifest !== null && upload.manifest !== null)
		throw new ProblemError('invalid_request', 'There is a manifest beside the file, and a manifest.json in it: expected one', 'manifest');
	const text = found.manifest ?? upload.manifest;
	const said = text === null ? {} : tableManifest(text);
	const manifest = { ...said, ...(upload.label === null ? {} : { label: upload.label }) };
	const tables = await Promise.all(found.files.map(({ path, file }) => openTable(path, { file, delimiter: manifest.delimiter })));
	return {
		tables,
		manifest,
		uploaded: text === null && upload.label === null ? null : { ...(text === null ? {} : (JSON.parse(text) as object)), ...manifest },
	};
}

/**
 * Reads an upload, a table or an archive of tables or arrays, as a dataset in canonical form into `target`, an existing empty folder.
 * @throws ProblemError `invalid_dataset` or `invalid_request`
 */
export async function ingestUpload(upload: Upload, target: string): Promise<{ profile: DatasetProfile; manifest: unknown }> {
	const { name, work, path } = upload;
	try {
		const found = await tablesOf(upload);
		if (found === null) return await ingest(path, target, { name });
		const { profile } = await ingestTable(found.tables, found.manifest, target, { work, name });
		return { profile, manifest: found.uploaded };
	} catch (error) {
		throw asProblem(error);
	}
}

/** Says how an upload would be read, from its first rows. Throws ProblemError, also for an archive of arrays, of which nothing is inferred. */
export async function previewUpload(upload: Upload): Promise<TablePreview> {
	try {
		const found = await tablesOf(upload);
		if (found === null)
			throw new ProblemError('invalid_request', 'Only of a table can be said how it would be read: arrays are taken as they are', 'file');
		return await previewTable(found.tables, found.manifest);
	} catch (error) {
		throw asProblem(error);
	}
}
