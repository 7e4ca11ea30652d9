import { createReadStream } from 'node:fs';
import { stat, writeFile } from 'node:fs/promises';
import { encodeHeader, shapeText } from './npy-header.js';
import { readNpy } from './npy-reader.js';
import { refusal } from './refusal.js';

/** The array of an `.npy` file by itself. */
export type NumberTable = {
	/** The path of the file, for messages. */
	readonly file: string;
	/** `[rows]` or `[rows, columns]`, as in the file. */
	readonly shape: readonly [number] | readonly [number, number];
	/** The numbers row by row, also those that are not finite. */
	readonly values: Float64Array;
};

/**
 * Reads an `.npy` file of any type of numbers, in either order of its axes.
 *
 * @throws ProblemError `invalid_dataset` for a file that is no `.npy` file, is truncated, holds objects, or has other than one or two axes; the error of the system
 *   where the file cannot be read
 */
export async function readNumberTable(path: string): Promise<NumberTable> {
	const found = await stat(path);
	if (!found.isFile()) throw refusal(path, 'a file', found.isDirectory() ? 'a folder' : 'a device, pipe or socket');
	const member = { name: path, bytes: found.size, chunks: () => bytesOf(path) };
	return readNpy(member, async ({ file, header: { shape, elements }, blocks }) => {
		if (shape.length !== 1 && shape.length !== 2) throw refusal(file, 'shape (rows,) or (rows, columns)', shapeText(shape));
		const values = new Float64Array(elements);
		for await (const { start, values: block } of blocks()) for (let i = 0; i < block.length; i++) values[start + i] = Number(block[i]);
		return { file, shape: shape as unknown as NumberTable['shape'], values };
	});
}

async function* bytesOf(path: string): AsyncGenerator<Uint8Array> {
	for await (const chunk of createReadStream(path)) yield chunk as Uint8Array;
}

/** Writes an `.npy` file of float32, little-endian, in C order. */
export async function writeNumberTable(path: string, shape: readonly number[], values: Float32Array): Promise<void> {
	const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
	await writeFile(path, Buffer.concat([encodeHeader('float32', shape), bytes]));
}
