import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { type ArrayOf, arrayTypeOf, type CanonicalArray, type CanonicalType, descrOf } from './canonical-type.js';
import { headerSpan, PREFIX_BYTES, parseHeader, shapeText } from './npy-header.js';
import { readFully } from './read-fully.js';
import { refusal } from './refusal.js';

/** An array of a canonical folder, open for reading. */
export type StoredArray<A extends CanonicalArray> = {
	/** The open file, and where the values begin in it, in bytes. */
	readonly fd: number;
	readonly start: number;
	/** Fills `into` with the values of the flat array from `start` on. */
	read(start: number, into: A): void;
	readAll(): A;
	close(): void;
};

/** Fills `into` from `position` on. Refuses a file that ends before. */
function readWhole(fd: number, into: Uint8Array, position: number, file: string): void {
	const found = readFully(fd, into, position);
	if (found < into.length) throw refusal(file, `${position + into.length} bytes`, `${position + found}: the file is truncated`);
}

/** Opens an array. Refuses another type or shape. */
export function openStoredArray<T extends CanonicalType>(
	folder: string,
	file: string,
	type: T,
	shape: readonly number[],
): StoredArray<ArrayOf<T>> {
	const fd = openSync(join(folder, file), 'r');
	try {
		const prefix = new Uint8Array(PREFIX_BYTES);
		readWhole(fd, prefix, 0, file);
		const span = headerSpan(prefix, file);
		const text = new Uint8Array(span.bytes);
		readWhole(fd, text, span.start, file);
		const header = parseHeader(text, file);
		if (header.element.name !== type || header.bigEndian || header.fortranOrder || header.shape.join() !== shape.join())
			throw refusal(
				file,
				`${descrOf(type)} of shape ${shapeText(shape)} in C order`,
				`${header.element.name} of shape ${shapeText(header.shape)}`,
			);
		const start = span.start + span.bytes;
		const read = (from: number, into: ArrayOf<T>): void =>
			readWhole(fd, new Uint8Array(into.buffer, into.byteOffset, into.byteLength), start + from * into.BYTES_PER_ELEMENT, file);
		return {
			fd,
			start,
			read,
			readAll: () => {
				const values = new (arrayTypeOf(type))(header.elements);
				read(0, values);
				return values;
			},
			close: () => closeSync(fd),
		};
	} catch (error) {
		closeSync(fd);
		throw error;
	}
}

/** Reads a whole array. Refuses another type or shape. */
export function readStoredArray<T extends CanonicalType>(folder: string, file: string, type: T, shape: readonly number[]): ArrayOf<T> {
	const array = openStoredArray(folder, file, type, shape);
	try {
		return array.readAll();
	} finally {
		array.close();
	}
}
