import { type FileHandle, open } from 'node:fs/promises';
import type { CanonicalArray, CanonicalType } from './canonical-type.js';
import { encodeHeader } from './npy-header.js';

/** An `.npy` file that is written from its beginning to its end. */
export type NpyWriter = {
	/** Appends values in C order. */
	append(values: CanonicalArray): Promise<void>;
	close(): Promise<void>;
};

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
	for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done)).bytesWritten;
}

/** Begins a new `.npy` file of a type and shape. Whoever writes it has to append as many values as the shape has. */
export async function openNpyWriter(path: string, type: CanonicalType, shape: readonly number[]): Promise<NpyWriter> {
	const file = await open(path, 'wx');
	await writeAll(file, encodeHeader(type, shape));
	return {
		append: (values) => writeAll(file, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
		close: () => file.close(),
	};
}
