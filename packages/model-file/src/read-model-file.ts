import { open, readFile, realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { isZip } from '@steelyard/archive';
import { GraphError, withExternalData } from '@steelyard/onnx';
import { lengthOfPart } from './data-part.js';
import { readModelArchive } from './read-model-archive.js';

/** The path of a file of data. Throws GraphError for one that is not there, or that lies outside the folder of the model. */
async function pathOf(folder: string, location: string): Promise<string> {
	const path = join(folder, location);
	const found = await realpath(path).catch(() => {
		throw new GraphError('malformed_model', `the model keeps data in the file "${location}", which does not lie beside it`, location);
	});
	const way = relative(await realpath(folder), found);
	if (isAbsolute(location) || isAbsolute(way) || way === '..' || way.startsWith(`..${sep}`))
		throw new GraphError('malformed_model', `the model keeps data in "${location}", outside its folder`, location);
	return found;
}

async function readPart(folder: string, location: string, offset: number, length: number | null): Promise<Uint8Array> {
	const file = await open(await pathOf(folder, location), 'r');
	try {
		const { size } = await file.stat();
		const wanted = lengthOfPart(location, size, offset, length);
		const bytes = new Uint8Array(wanted);
		for (let done = 0; done < wanted; ) done += (await file.read(bytes, done, wanted - done, offset + done)).bytesRead;
		return bytes;
	} finally {
		await file.close();
	}
}

/**
 * The bytes of an ONNX file as one self-contained model: data that the file keeps in others, which must lie in its folder or below, are inside. A zip archive with
 * the file and its data is read too. Throws GraphError for data that are not there, and the error of the system where the file itself cannot be read.
 */
export async function readModelFile(path: string): Promise<Uint8Array> {
	if (await isZip(path)) return readModelArchive(path);
	return withExternalData(await readFile(path), (...part) => readPart(dirname(path), ...part));
}
