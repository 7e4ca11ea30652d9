import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import type { CanonicalArray, CanonicalType } from './canonical-type.js';
import { encodeHeader } from './npy-header.js';
import { emptyRange, type Range, widenFinite } from './range.js';

/** What was seen of an array of finite float32 numbers while it was written. */
export type WrittenArray = { readonly sha256: string; readonly range: Range };

/** An `.npy` file that is written from its beginning to its end. */
export type NpyWriter = {
	/** Appends values in C order. They must not change before this resolves. */
	append(values: CanonicalArray): Promise<void>;
	/** Ends the file. Gives what was seen of it; null where a number is not finite, or is of another type than float32. */
	close(): Promise<WrittenArray | null>;
};

const bytesOf = (values: CanonicalArray): Uint8Array => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
	for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done)).bytesWritten;
}

/** Begins a new `.npy` file of a type and shape. Whoever writes it has to append as many values as the shape has. */
export async function openNpyWriter(path: string, type: CanonicalType, shape: readonly number[]): Promise<NpyWriter> {
	const file = await open(path, 'wx');
	const header = encodeHeader(type, shape);
	await writeAll(file, header);
	const hash = createHash('sha256').update(header);
	const range = emptyRange();
	let isChecked = true;
	return {
		async append(values) {
			const written = writeAll(file, bytesOf(values));
			isChecked &&= values instanceof Float32Array && widenFinite(range, values);
			if (isChecked) hash.update(bytesOf(values));
			await written;
		},
		async close() {
			await file.close();
			return isChecked ? { sha256: hash.digest('hex'), range } : null;
		},
	};
}
