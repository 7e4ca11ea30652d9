import { posix } from 'node:path';
import { type ArchivedFile, ArchiveError, openZip, type ZipArchive } from '@steelyard/archive';
import { GraphError, MOST_BYTES, withExternalData } from '@steelyard/onnx';
import { lengthOfPart } from './data-part.js';

/** Exporters that keep each tensor in a file of its own make some hundreds; weights are numbers that hardly pack. */
const LIMITS = { entries: 65_536, ratio: 200 };

function modelIn({ files }: ZipArchive): ArchivedFile {
	const models = [...files.values()].filter(({ path }) => path.endsWith('.onnx'));
	const [first] = models;
	if (first === undefined || models.length > 1)
		throw new GraphError(
			'malformed_model',
			`the archive has ${models.length} files that end in .onnx, expected one, beside the files of its data`,
		);
	return first;
}

async function contentsOf({ bytes, chunks }: ArchivedFile): Promise<Uint8Array> {
	const contents = new Uint8Array(bytes);
	let at = 0;
	for await (const chunk of chunks()) {
		contents.set(chunk, at);
		at += chunk.length;
	}
	return contents;
}

async function unpack(archive: ZipArchive): Promise<Uint8Array> {
	const model = modelIn(archive);
	const folder = posix.dirname(model.path);
	const opened = new Map<string, Uint8Array>();
	let bytes = 0;
	const contents = async (file: ArchivedFile): Promise<Uint8Array> => {
		const known = opened.get(file.path);
		if (known !== undefined) return known;
		bytes += file.bytes;
		if (bytes > MOST_BYTES)
			throw new GraphError(
				'unsupported_model',
				`the model and its data in the archive have ${bytes} bytes, of which one ONNX file can hold ${MOST_BYTES}`,
			);
		const read = await contentsOf(file);
		opened.set(file.path, read);
		return read;
	};
	return withExternalData(await contents(model), async (location, offset, length) => {
		const file = archive.files.get(posix.join(folder, location));
		if (file === undefined)
			throw new GraphError('malformed_model', `the model keeps data in the file "${location}", which is not in the archive`, location);
		const end = offset + lengthOfPart(location, file.bytes, offset, length);
		return (await contents(file)).subarray(offset, end);
	});
}

/**
 * The model in a zip archive as one self-contained file: the archive has one file that ends in `.onnx`, and those that its tensors name, by paths from its folder.
 * Throws GraphError for any other archive, and for data that are more than one ONNX file can hold.
 */
export async function readModelArchive(path: string): Promise<Uint8Array> {
	let archive: ZipArchive | undefined;
	try {
		archive = await openZip(path, LIMITS);
		return await unpack(archive);
	} catch (error) {
		throw error instanceof ArchiveError ? new GraphError('malformed_model', error.message, error.file) : error;
	} finally {
		archive?.close();
	}
}
