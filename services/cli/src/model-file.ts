import { openAsBlob } from 'node:fs';
import { isZip, readModelFile } from '@steelyard/model-file';
import { InvalidArgumentError } from 'commander';
import { UsageError } from './output.js';

/** The bytes of an ONNX file, with the data that it keeps in files beside it, or of a zip archive with both. Throws UsageError where it cannot be read. */
export async function readModel(path: string): Promise<Uint8Array> {
	return readModelFile(path).catch((error: NodeJS.ErrnoException) => {
		if (error.name === 'GraphError') throw new UsageError(error.message);
		throw new UsageError(
			error.code === 'ENOENT' ? `${path} does not exist; expected an ONNX file` : `${path} cannot be read: ${error.message}`,
		);
	});
}

/** What is uploaded of a model: a zip archive as it is, an ONNX file with the data that it keeps in files beside it. Throws UsageError where it cannot be read. */
export async function modelUpload(path: string): Promise<Blob> {
	return (await isZip(path)) ? openAsBlob(path) : new Blob([(await readModel(path)) as Uint8Array<ArrayBuffer>]);
}

/** Reads an option such as `batch=4,time=10` as sizes by name; an option that is given again adds to those `before`. */
export function parseDims(text: string, before: Readonly<Record<string, number>> = {}): Record<string, number> {
	const dims: Record<string, number> = { ...before };
	for (const part of text.split(',')) {
		const [, name, size] = /^\s*(.+?)\s*=\s*(\d+)\s*$/.exec(part) ?? [];
		if (name === undefined || !(Number(size) >= 1 && Number.isSafeInteger(Number(size))))
			throw new InvalidArgumentError(`Expected sizes of the form batch=4,time=10; found "${part}".`);
		dims[name] = Number(size);
	}
	return dims;
}

/** Throws an error of the engine or the runtime that blames the user's model as UsageError, every other error as it is. */
export function refused(error: unknown): never {
	const { name, code } = error as { name?: string; code?: string };
	if (name === 'GraphError' || (name === 'RuntimeError' && code === 'model_refused')) throw new UsageError((error as Error).message);
	throw error;
}
